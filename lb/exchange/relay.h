/* SPDX-License-Identifier: Apache-2.0 */
/* Moves what an exchange carries from one side to the other, never faster than it is taken. */
#ifndef LB_EXCHANGE_RELAY_H
#define LB_EXCHANGE_RELAY_H

struct exchange;

enum relay {
    RELAY_WAITING,     /* all that can move now has moved */
    RELAY_COMPLETE,    /* this direction is over */
    RELAY_LINK_LOST,   /* the backend closed, reset or said no HTTP: exchange->trouble */
    RELAY_CLIENT_LOST, /* the client went away */
    RELAY_CLIENT_BAD,  /* the request's body is wrong: stream->fault_status */
};

/** Send the head (from exchange->request_head) with what is there of the body, in one write. */
enum relay relay_head(struct exchange *exchange);
/** Move the request's body on. */
enum relay relay_request(struct exchange *exchange);
/** Read the answer and move it on: interim heads, the head, the body, trailers. RELAY_COMPLETE: all
 * taken by the client's side. */
enum relay relay_answer(struct exchange *exchange);
/** Both directions of a tunnel. */
enum relay relay_tunnel(struct exchange *exchange);

#endif
