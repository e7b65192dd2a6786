# shellcheck shell=bash disable=SC2034,SC2154,SC2164
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the tests with real browsers, after root, lb and who are set: a folder, certificates, three backends, a
# WebSocket server and lb, and an end to all of it that is bounded.
processes=()
declare -A backends=()

skip() {
    echo "$who: skipped: $*"
    exit 77
}
fail() {
    echo "$who: $*" >&2
    tail -20 "$folder/lb.log" >&2 || true
    exit 1
}

need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || skip "$tool is not installed; ./dev setup installs it"
    done
}

# end_of PROCESS…: until they have ended; after ten seconds they are killed, with all that they started.
end_of() {
    local process tries=0
    for process in "$@"; do
        while kill -0 "$process" 2>/dev/null && ((tries++ < 200)); do sleep 0.05; done
        kill -KILL -- "-$process" 2>/dev/null || kill -KILL "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
}

# forget PROCESS: it has ended.
forget() {
    local process left=()
    for process in "${processes[@]}"; do [[ "$process" == "$1" ]] || left+=("$process"); done
    processes=("${left[@]}")
}

clean_up() {
    local process
    for process in "${processes[@]}"; do kill -TERM "$process" 2>/dev/null || true; done
    for process in "${processes[@]}"; do kill -CONT "$process" 2>/dev/null || true; done
    end_of "${processes[@]}"
    ! declare -F leave >/dev/null || leave
    rm -rf "$folder"
}

# The same reservation as tests/support/port.c: a locked file for each port, held until this script ends.
reserve_port() {
    local ports lock
    ports="/tmp/lb-test-ports-$(id -u)"
    mkdir -p "$ports"
    while :; do
        port=$((12000 + RANDOM % 20000))
        exec {lock}>"$ports/$port"
        flock -n "$lock" && ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
        exec {lock}>&-
    done
}

# await PORT…: until somebody answers there. A browser on a busy machine takes half a minute to start.
await() {
    local tries
    for port in "$@"; do
        for ((tries = 0; ; tries++)); do
            (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
            [[ "$tries" -lt 1200 ]] || fail "nobody answers at port $port"
            sleep 0.05
        done
    done
}

make_certificates() {
    "$root/etc/demo/certificates" "$folder/www" www.example.com >"$folder/openssl.log" 2>&1
    # Browsers want a subjectAltName, which the guide's commands do not make; the rest is as in its step 2.
    (
        cd "$folder/www"
        echo "subjectAltName = DNS:www.example.com,DNS:open.example.com" >names
        openssl x509 -req -in server.csr -out browser.crt -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 \
            -extfile names
    ) >>"$folder/openssl.log" 2>&1
}

# make_store FOLDER: a certificate store that knows the CA.
make_store() {
    mkdir -p "$1"
    certutil -d "sql:$1" -N --empty-password
    certutil -d "sql:$1" -A -t "CT,C,C" -n "lb test CA" -i "$folder/www/ca.crt"
}

# issue NAME FOLDER: a certificate that lb issues now, into that store.
issue() {
    echo sesame >"$folder/password"
    chmod 600 "$folder/password"
    "$lb" cert issue -c "$folder/lb.ini" --cn "$1" --p12 "$folder/$1.p12" --password-file "$folder/password" >/dev/null
    pk12util -d "sql:$2" -i "$folder/$1.p12" -w "$folder/password" >/dev/null
}

# serial NAME: of the certificate that was issued to it.
serial() {
    "$lb" cert list -c "$folder/lb.ini" --cn "$1" --json | jq -r '.certificates[0].serial'
}

revoke() { "$lb" cert revoke -c "$folder/lb.ini" "$(serial "$1")" --yes >/dev/null; }

# start_backend NAME: at the port of that name.
start_backend() {
    local ports=(["1"]="$rs1" ["2"]="$rs2" ["3"]="$rs3")
    "$lb" demo-backend "$1" "127.0.0.1:${ports[${1#rs-}]}" >>"$folder/$1.log" 2>&1 &
    backends[$1]=$!
    processes+=($!)
}

# Listeners: web (the demo's certificates), club and old (certificates that lb issues; old speaks HTTP/1.1 only), both
# (two hosts of which one asks for certificates).
start_all() {
    reserve_port && web="$port"
    reserve_port && rs1="$port"
    reserve_port && rs2="$port"
    reserve_port && rs3="$port"
    reserve_port && club="$port"
    reserve_port && old="$port"
    reserve_port && both="$port"
    reserve_port && echo="$port"
    cat >"$folder/lb.ini" <<END
[lb]
log = lb.log
access_log = access.log

[listener web]
address = 127.0.0.1:$web
certificate = www/browser.crt
certificate_key = www/server.key
mutual_auth = require
client_ca = www/ca.crt

# Those who are issued a certificate by lb.
[listener club]
address = 127.0.0.1:$club
certificate = www/browser.crt
certificate_key = www/server.key
mutual_auth = require
client_ca = builtin

[listener old]
address = 127.0.0.1:$old
http2 = off
certificate = www/browser.crt
certificate_key = www/server.key
mutual_auth = require
client_ca = builtin

[listener both]
address = 127.0.0.1:$both
sni = on

[rule open]
listener = both
domain = open.example.com
certificate = www/browser.crt
certificate_key = www/server.key
mutual_auth = off
pool = app

[rule closed]
listener = both
domain = www.example.com
certificate = www/browser.crt
certificate_key = www/server.key
mutual_auth = require
client_ca = www/ca.crt
pool = app

[rule club]
listener = club
listener = old
domain = www.example.com
pool = app

[rule held]
listener = club
domain = www.example.com
url = /held
pool = held

[rule chat]
listener = club
listener = old
domain = www.example.com
url = /chat
pool = chat

[rule www]
listener = web
domain = www.example.com
pool = app

[rule cart]
listener = web
domain = www.example.com
url = /cart
pool = cart

[pool app]
backend = rs-1 127.0.0.1:$rs1
backend = rs-2 127.0.0.1:$rs2

[pool held]
health_check = off
backend = rs-3 127.0.0.1:$rs3

[pool chat]
health_check = off
backend = echo 127.0.0.1:$echo

[pool cart]
session_persistence = cookie
backend = rs-1 127.0.0.1:$rs1
backend = rs-2 127.0.0.1:$rs2
END
    start_backend rs-1
    start_backend rs-2
    start_backend rs-3
    "$root/tests/browser/echo" "$echo" >"$folder/echo.log" 2>&1 &
    processes+=($!)
    "$lb" run -c "$folder/lb.ini" 2>"$folder/lb.stderr" &
    processes+=($!)
    await "$rs1" "$rs2" "$rs3" "$echo" "$web" "$club" "$old" "$both"
}

# logged FILTER: how many lines of the access log the jq filter selects.
logged() { jq -c "select($1)" "$folder/access.log" | wc -l; }

# await_logged FILTER: until there is one; a line may be written a moment after its answer.
await_logged() {
    local tries
    for ((tries = 0; tries < 400; tries++)); do
        [[ "$(logged "$1")" == 0 ]] || return 0
        sleep 0.05
    done
    fail "the access log has no line of $1: $(tail -3 "$folder/access.log")"
}

# await_told PATTERN: until a line of lb's log is like that; what it tells of may be seen a moment earlier.
await_told() {
    local tries
    for ((tries = 0; tries < 400; tries++)); do
        ! grep -q "$1" "$folder/lb.log" || return 0
        sleep 0.05
    done
    fail "lb's log has no line of $1"
}

# What a page runs. load: the page's own protocol. chat_with PORT: a WebSocket is greeted, says something and hears it
# back; what comes of it is a promise, and window.chat_end another one of its end.
page_protocol="performance.getEntriesByType('navigation')[0].nextHopProtocol"
page_fetch="fetch('/').then(answer => answer.text(), error => 'refused: ' + error)"
chat_with() {
    cat <<END
new Promise(done => {
    const heard = [];
    window.chat = new WebSocket('wss://www.example.com:$1/chat');
    window.chat_end = new Promise(ended => window.chat.onclose = event => { done('closed'); ended('closed'); });
    window.chat.onmessage = event => {
        heard.push(event.data);
        if (heard.length == 1) window.chat.send('hello from a page');
        if (heard.length == 2) done(heard.join(', '));
    };
})
END
}
chat_heard="welcome, hello from a page"
