/* SPDX-License-Identifier: Apache-2.0 */
/* One listener, one rule, one backend. */
#include "tests/support/house.h"

#include "tests/support/cast.h"

static const char *or_nothing(const char *lines)
{
    return lines != NULL ? lines : "";
}

void house_open(struct house *house, const struct house_plan *plan)
{
    scene_begin(&house->scene);
    if (plan->is_https)
        cast_write(&house->scene);
    stub_start_with(&house->backend, "rs-1", plan->serve, plan->story);
    scene_set_port(&house->scene, "rs-1", house->backend.port);
    struct text ini = {0};
    text_add_format(&ini, "[lb]\nworkers = %u\naccess_log = access.log\n%s\n",
                    plan->workers > 0 ? plan->workers : 2, or_nothing(plan->lb));
    text_add_format(&ini, "[listener web]\naddress = 127.0.0.1:@web\n%s\n%s\n",
                    plan->is_https ? "certificate = server.crt\ncertificate_key = server.key"
                                   : "protocol = http",
                    or_nothing(plan->listener));
    text_add_format(&ini, "[rule all]\nlistener = web\npool = app\n%s\n", or_nothing(plan->rule));
    text_add_format(&ini, "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n%s\n",
                    or_nothing(plan->pool));
    scene_start(&house->scene, ini.bytes);
    text_done(&ini);
}

void house_close(struct house *house)
{
    scene_end(&house->scene);
    stub_stop(&house->backend);
}

void house_enter(struct house *house, struct peer *peer)
{
    peer_connect(peer, scene_port(&house->scene, "web"));
}
