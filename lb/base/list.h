/* SPDX-License-Identifier: Apache-2.0 */
/* Intrusive doubly linked list with a sentinel. */
#ifndef LB_BASE_LIST_H
#define LB_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *prev;
    struct list_node *next;
};

/** The struct that embeds `node` as `member`. */
#define LIST_OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list_node *head)
{
    head->prev = head->next = head;
}
static inline bool list_is_empty(const struct list_node *head)
{
    return head->next == head;
}
/** Is a node, zero-initialised or taken out by list_remove, in some list? */
static inline bool list_is_linked(const struct list_node *node)
{
    return node->next && node->next != node;
}
static inline void list_append(struct list_node *head, struct list_node *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}
static inline void list_prepend(struct list_node *head, struct list_node *node)
{
    list_append(head->next, node);
}
/** All nodes of `from` go to `head`, which need not be initialised; `from` is empty then. */
static inline void list_move(struct list_node *from, struct list_node *head)
{
    list_init(head);
    if (list_is_empty(from))
        return;
    *head = *from;
    head->next->prev = head->prev->next = head;
    list_init(from);
}
static inline void list_remove(struct list_node *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->prev = node->next = node;
}

#endif
