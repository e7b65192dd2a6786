# SPDX-License-Identifier: Apache-2.0
"""What must be true of gRPC through lb. Each story is a function of the stage; its name is what it proves."""
import json
import queue
import time

import grpc

from stage import PATIENCE_S, eventually, expect

SERVICES = ("test.Clear", "test.Secure")
Code = grpc.StatusCode


def failure(call):
    """How a call fails."""
    try:
        call()
    except grpc.RpcError as error:
        return error
    expect(False, "a call that must fail was answered")
    return None


class Sender:
    """The requests of a stream, one by one as the story sends them."""

    def __init__(self):
        self.queue = queue.Queue()

    def __iter__(self):
        return iter(self.queue.get, None)

    def send(self, message):
        self.queue.put(message)

    def end(self):
        self.queue.put(None)


def one_call_is_answered(stage):
    channel = stage.channel("alice")
    for service in SERVICES:
        answer = channel.unary_unary(f"/{service}/Unary")(b"hello", timeout=PATIENCE_S)
        expect(answer.startswith(b"rs-") and answer.endswith(b":hello"), service, answer)


def calls_of_one_channel_take_turns(stage):
    unary = stage.channel("alice").unary_unary("/test.Clear/Unary")
    names = [unary(b"", timeout=PATIENCE_S) for _ in range(10)]
    expect(all(one != other for one, other in zip(names, names[1:])), names)


def a_server_streams(stage):
    channel = stage.channel("alice")
    for service in SERVICES:
        messages = list(channel.unary_stream(f"/{service}/Count")(b"1000", timeout=PATIENCE_S))
        expect(messages == [b"%d" % number for number in range(1000)], service, len(messages))


def a_client_streams(stage):
    channel = stage.channel("alice")
    for service in SERVICES:
        messages = (b"x" * 1000 for _ in range(1000))
        told = json.loads(channel.stream_unary(f"/{service}/Sum")(messages, timeout=PATIENCE_S))
        expect(told == {"messages": 1000, "bytes": 1000000}, service, told)


def a_stream_without_messages_is_one(stage):
    channel = stage.channel("alice")
    for service in SERVICES:
        told = json.loads(channel.stream_unary(f"/{service}/Sum")(iter(()), timeout=PATIENCE_S))
        expect(told == {"messages": 0, "bytes": 0}, service, told)
        expect(not list(channel.unary_stream(f"/{service}/Count")(b"0", timeout=PATIENCE_S)), service)


def both_stream_and_each_message_is_answered_before_the_next_is_sent(stage):
    channel = stage.channel("alice")
    for service in SERVICES:
        sender = Sender()
        answers = channel.stream_stream(f"/{service}/Echo")(iter(sender), timeout=PATIENCE_S)
        names = set()
        for number in range(20):
            sender.send(b"%d" % number)
            name, said = next(answers).split(b":")
            names.add(name)
            expect(said == b"%d" % number, service, said)
        expect(len(names) == 1, service, "a stream stays where it began", names)
        sender.end()
        expect(not list(answers), service)


def messages_of_4_mib_pass_both_ways(stage):
    channel = stage.channel("alice")
    for service in SERVICES:
        message = bytes(range(256)) * (4 * 1024 * 1024 // 256)
        answer = channel.unary_unary(f"/{service}/Unary")(message, timeout=PATIENCE_S)
        expect(answer.endswith(b":" + message) and len(answer) == len(message) + 5, service, len(answer))


def a_hundred_streams_of_one_channel_go_on_side_by_side(stage):
    echo = stage.channel("alice").stream_stream("/test.Clear/Echo")
    senders = [Sender() for _ in range(100)]
    streams = [echo(iter(sender), timeout=PATIENCE_S) for sender in senders]
    names = []
    for turn in range(3):
        for number, sender in enumerate(senders):
            sender.send(b"%d.%d" % (number, turn))
        said = [next(stream).split(b":") for stream in streams]
        expect([text for _, text in said] == [b"%d.%d" % (number, turn) for number in range(100)], said)
        names.append([name for name, _ in said])
    expect(names[0] == names[1] == names[2], "a stream stays where it began")
    expect(names[0].count(b"rs-1") == 50, names[0])
    for sender, stream in zip(senders, streams):
        sender.end()
        expect(not list(stream), "a stream ends when its client ends it")


def who_does_not_read_holds_up_its_own_stream_alone(stage):
    channel = stage.channel("alice")
    answers = channel.unary_stream("/test.Clear/Flood")(b"64", timeout=PATIENCE_S)
    expect(len(next(answers)) == 1024 * 1024)
    for _ in range(10):
        channel.unary_unary("/test.Clear/Unary")(b"", timeout=PATIENCE_S)
    sent = stage.told("rs-1")["flooded"] + stage.told("rs-2")["flooded"]
    expect(sent < 64, "the server waits for the reader:", sent)
    expect([len(answer) for answer in answers] == [1024 * 1024] * 63, "all of it comes")


def compressed_messages_pass(stage):
    channel = stage.channel("alice")
    for service in SERVICES:
        message = b"again and " * 100000
        answer = channel.unary_unary(f"/{service}/Unary")(
            message, timeout=PATIENCE_S, compression=grpc.Compression.Gzip)
        expect(answer.endswith(b":" + message), service, len(answer))


def metadata_passes_both_ways(stage):
    channel = stage.channel("alice")
    for service in SERVICES:
        answer, call = channel.unary_unary(f"/{service}/Metadata").with_call(
            b"", metadata=(("x-probe", "a b"), ("x-probe-bin", b"\0\xff")), timeout=PATIENCE_S)
        seen = json.loads(answer)
        behind = dict(call.trailing_metadata())
        expect(seen["x-probe"] == "a b", service, seen)
        expect(dict(call.initial_metadata())["x-before"] == "a b", service, call.initial_metadata())
        expect(behind["x-behind"] == "a b" and behind["x-behind-bin"] == b"\0\xff", service, behind)
        expect(seen["x-forwarded-proto"] == "https" and seen["x-real-ip"] == "127.0.0.1", service, seen)


def a_status_comes_with_its_words(stage):
    channel = stage.channel("alice")
    for service in SERVICES:
        words = "100 % nö"
        error = failure(lambda: channel.unary_unary(f"/{service}/Refuse")(words.encode(), timeout=PATIENCE_S))
        expect(error.code() == Code.INVALID_ARGUMENT and error.details() == words, service, error)
        expect(dict(error.trailing_metadata())["x-why"] == "because", service, error.trailing_metadata())
        error = failure(lambda: channel.unary_unary(f"/{service}/nothing")(b"", timeout=PATIENCE_S))
        expect(error.code() == Code.UNIMPLEMENTED, service, error)


def a_status_behind_messages_comes_behind_them(stage):
    channel = stage.channel("alice")
    for service in SERVICES:
        answers = channel.unary_stream(f"/{service}/Break")(b"", timeout=PATIENCE_S)
        expect([next(answers), next(answers)] == [b"one", b"two"], service)
        error = failure(lambda: next(answers))
        expect(error.code() == Code.ABORTED and error.details() == "after two", service, error)


def a_deadline_is_known_to_the_server_and_ends_the_call(stage):
    channel = stage.channel("alice")
    left = float(channel.unary_unary("/test.Clear/Remaining")(b"", timeout=PATIENCE_S))
    expect(0 < left < 2 * PATIENCE_S, left)
    before = cancelled(stage)
    answers = channel.unary_stream("/test.Clear/Hold")(b"", timeout=2)
    expect(next(answers) == b"held")
    expect(failure(lambda: next(answers)).code() == Code.DEADLINE_EXCEEDED)
    eventually(lambda: cancelled(stage) == before + 1, "the server learns of it")


def cancelled(stage):
    return stage.told("rs-1")["cancelled"] + stage.told("rs-2")["cancelled"]


def a_call_that_is_cancelled_is_cancelled_at_the_server(stage):
    channel = stage.channel("alice")
    before = cancelled(stage)
    answers = channel.unary_stream("/test.Clear/Hold")(b"", timeout=PATIENCE_S)
    expect(next(answers) == b"held")
    answers.cancel()
    eventually(lambda: cancelled(stage) == before + 1, "the server learns of it")
    expect(channel.unary_unary("/test.Clear/Unary")(b"on", timeout=PATIENCE_S).endswith(b":on"), "the channel goes on")


def a_thousand_calls_at_once_are_spread_evenly(stage):
    unary = stage.channel("alice").unary_unary("/test.Clear/Unary")
    before = [stage.told(name)["calls"] for name in ("rs-1", "rs-2")]
    for call in [unary.future(b"", timeout=PATIENCE_S) for _ in range(1000)]:
        call.result()
    after = [stage.told(name)["calls"] for name in ("rs-1", "rs-2")]
    counts = [late - early for early, late in zip(before, after)]
    expect(counts == [500, 500], counts)


def expect_refusal(error, code, reason):
    told = dict(error.trailing_metadata())
    expect(error.code() == code, error)
    expect(reason in (None, told["x-lb-reason"]) and told["x-lb-reason"], told)


def without_a_certificate_there_is_no_call(stage):
    error = failure(lambda: stage.channel().unary_unary("/test.Clear/Unary")(b"", timeout=PATIENCE_S))
    expect_refusal(error, Code.PERMISSION_DENIED, "missing")
    strict = stage.channel(listener="strict").unary_unary("/test.Clear/Unary")
    expect(failure(lambda: strict(b"", timeout=PATIENCE_S)).code() == Code.UNAVAILABLE, "by an alert")
    eventually(lambda: any("client.refused" in line and "reason=missing" in line
                           for line in stage.log("lb.log").splitlines()), "lb tells why")


def what_lb_refuses_is_told_as_a_status(stage):
    channel = stage.channel("alice")
    for method, code, reason in (("/test.Closed/Unary", Code.PERMISSION_DENIED, "not-allowed"),
                                 ("/test.Nowhere/Unary", Code.UNIMPLEMENTED, "no-rule"),
                                 ("/test.Gone/Unary", Code.UNAVAILABLE, None)):
        error = failure(lambda: channel.unary_unary(method)(b"", timeout=PATIENCE_S))
        expect_refusal(error, code, reason)
        expect("(request " in error.details(), method, error)


def who_does_not_answer_in_time_is_given_up_and_an_open_stream_may_be_silent(stage):
    channel = stage.channel("alice")
    sender = Sender()
    answers = channel.stream_stream("/test.Hasty/Echo")(iter(sender), timeout=PATIENCE_S)
    sender.send(b"1")
    expect(next(answers) == b"rs-1:1")
    before = cancelled(stage)
    for number in (1, 2):  # each takes answer_timeout
        error = failure(lambda: channel.unary_unary("/test.Hasty/Never")(b"", timeout=PATIENCE_S))
        expect_refusal(error, Code.UNAVAILABLE, None)
        expect(error.details().startswith("504 "), error)
        eventually(lambda: cancelled(stage) == before + number, "the server learns of it")
    messages = channel.unary_stream("/test.Hasty/Hold")(b"", timeout=PATIENCE_S)
    expect(next(messages) == b"held")
    error = failure(lambda: next(messages))
    expect(error.code() == Code.UNAVAILABLE and error.details().startswith("504 "), error)
    sender.send(b"2")
    expect(next(answers) == b"rs-1:2")
    sender.end()
    expect(not list(answers))


def who_is_not_serving_gets_no_calls_until_it_is(stage):
    unary = stage.channel("alice").unary_unary("/test.Clear/Unary")
    stage.set_health("rs-1", b"not serving")
    eventually(lambda: stage.verdicts()["rs-1"]["verdict"] == "down", "rs-1 is down")
    reason = stage.verdicts()["rs-1"]["reason"]
    expect(reason == "not serving", reason)
    names = {unary(b"", timeout=PATIENCE_S) for _ in range(10)}
    expect(names == {b"rs-2:"}, names)
    stage.set_health("rs-1", b"serving")
    eventually(lambda: stage.are_up("rs-1"), "rs-1 is up")
    names = [unary(b"", timeout=PATIENCE_S) for _ in range(10)]
    expect(names.count(b"rs-1:") == 5, names)


def a_reload_leaves_open_streams_alone(stage):
    channel = stage.channel("alice")
    sender = Sender()
    answers = channel.stream_stream("/test.Clear/Echo")(iter(sender), timeout=PATIENCE_S)
    sender.send(b"1")
    name = next(answers).split(b":")[0]
    stage.reload(lambda ini: ini.replace("health_check_interval = 1s", "health_check_interval = 1100ms"))
    sender.send(b"2")
    expect(next(answers) == name + b":2")
    expect(channel.unary_unary("/test.Clear/Unary")(b"3", timeout=PATIENCE_S).endswith(b":3"))
    sender.end()
    expect(not list(answers))


def no_call_is_lost_when_a_server_takes_leave_of_its_connections(stage):
    channel = stage.channel("alice")
    sender = Sender()
    answers = channel.stream_stream("/test.Aging/Echo")(iter(sender), timeout=PATIENCE_S)
    sender.send(b"1")
    expect(next(answers) == b"rs-5:1")
    peer = channel.unary_unary("/test.Aging/Peer")
    peers = set()
    until = time.monotonic() + PATIENCE_S
    while len(peers) < 8:
        peers |= {call.result() for call in [peer.future(b"", timeout=PATIENCE_S) for _ in range(20)]}
        expect(time.monotonic() < until, "never: eight connections")
    sender.send(b"2")
    expect(next(answers) == b"rs-5:2", "what is under way goes on")
    sender.end()
    expect(not list(answers))


def a_server_that_goes_away_takes_its_own_streams_alone(stage):
    channel = stage.channel("alice")
    streams = {}
    for _ in range(2):
        sender = Sender()
        answers = channel.stream_stream("/test.Clear/Echo")(iter(sender), timeout=PATIENCE_S)
        sender.send(b"1")
        streams[next(answers)] = (sender, answers)
    expect(set(streams) == {b"rs-1:1", b"rs-2:1"}, streams)
    stage.stop_server("rs-2")
    failure(lambda: next(streams[b"rs-2:1"][1]))
    sender, answers = streams[b"rs-1:1"]
    sender.send(b"2")
    expect(next(answers) == b"rs-1:2")
    eventually(lambda: stage.verdicts()["rs-2"]["verdict"] == "down", "rs-2 is down")
    unary = channel.unary_unary("/test.Clear/Unary")
    expect({unary(b"", timeout=PATIENCE_S) for _ in range(10)} == {b"rs-1:"})
    stage.start_server("rs-2")
    eventually(lambda: stage.are_up("rs-2"), "rs-2 is up")
    expect({unary(b"", timeout=PATIENCE_S) for _ in range(2)} == {b"rs-1:", b"rs-2:"})
    for sender, _ in streams.values():
        sender.end()
    expect(not list(answers))


def the_open_stream_of_a_revoked_client_ends(stage):
    stage.issue("carol")
    channel = stage.channel("carol")
    sender = Sender()
    answers = channel.stream_stream("/test.Clear/Echo")(iter(sender), timeout=PATIENCE_S)
    sender.send(b"1")
    expect(next(answers).endswith(b":1"))
    began = time.monotonic()
    stage.revoke("carol")
    error = failure(lambda: next(answers))
    print(f"grpc:   her stream ended within {time.monotonic() - began:.3f} s: {error.code().name}")
    expect(error.code() == Code.UNAVAILABLE, error)
    sender.end()
    eventually(lambda: stage.told("rs-1")["held"] + stage.told("rs-2")["held"] == 0, "the server learns of it")
    error = failure(lambda: channel.unary_unary("/test.Clear/Unary")(b"", timeout=PATIENCE_S))
    expect_refusal(error, Code.PERMISSION_DENIED, "revoked")
    strict = stage.channel("carol", "strict").unary_unary("/test.Clear/Unary")
    expect(failure(lambda: strict(b"", timeout=PATIENCE_S)).code() == Code.UNAVAILABLE, "by an alert")


STORIES = (
    one_call_is_answered,
    calls_of_one_channel_take_turns,
    a_server_streams,
    a_client_streams,
    a_stream_without_messages_is_one,
    both_stream_and_each_message_is_answered_before_the_next_is_sent,
    a_hundred_streams_of_one_channel_go_on_side_by_side,
    messages_of_4_mib_pass_both_ways,
    who_does_not_read_holds_up_its_own_stream_alone,
    compressed_messages_pass,
    metadata_passes_both_ways,
    a_status_comes_with_its_words,
    a_status_behind_messages_comes_behind_them,
    a_deadline_is_known_to_the_server_and_ends_the_call,
    a_call_that_is_cancelled_is_cancelled_at_the_server,
    a_thousand_calls_at_once_are_spread_evenly,
    without_a_certificate_there_is_no_call,
    what_lb_refuses_is_told_as_a_status,
    who_does_not_answer_in_time_is_given_up_and_an_open_stream_may_be_silent,
    who_is_not_serving_gets_no_calls_until_it_is,
    a_reload_leaves_open_streams_alone,
    no_call_is_lost_when_a_server_takes_leave_of_its_connections,
    a_server_that_goes_away_takes_its_own_streams_alone,
    the_open_stream_of_a_revoked_client_ends,
)
