"""Where the SDK reads an answer otherwise than the reference prints it. The reference is followed, and here is why.

Keys are the engine, the operation, and where in the answer.
"""

_TRUE = 'read as True: Boolean in the reference\'s table as well, but its example prints the string "false" (5.5.3)'
_NUMBER = "a string read as its number: Integer in the reference's table as well, but its example prints a string (5.3.2)"
_NO_FIELD = "not read: the reference prints it, and the SDK has no such field"

DIFFERENCES = {
    ("kafka", "ShowInstance", "/port_protocols"): "read as an empty object: an object in the reference's table as well, "
    "but its example prints the JSON of one in a string (5.1.3)",
    ("kafka", "ListInstanceTopics", "/topics/*/sync_replication"): _TRUE,
    ("kafka", "ListInstanceTopics", "/topics/*/sync_message_flush"): _TRUE,
    ("kafka", "ListInstanceConsumerGroup", "/group/members"): _NO_FIELD,
    ("kafka", "ListInstanceConsumerGroup", "/group/group_message_offsets"): _NO_FIELD,
    ("rocketmq", "ListRocketInstanceTopics", "/total"): _NUMBER,
    ("rocketmq", "ListRocketInstanceTopics", "/max"): _NUMBER,
    ("rocketmq", "ListRocketInstanceTopics", "/remaining"): _NUMBER,
    ("rocketmq", "ListRocketInstanceTopics", "/next_offset"): _NUMBER,
    ("rocketmq", "ListRocketInstanceTopics", "/previous_offset"): _NUMBER,
    ("rocketmq", "ListInstanceConsumerGroups", "/groups/*/createdAt"): "not read: created_at in the SDK (5.2.1)",
    ("rocketmq", "ShowGroup", "/app_id"): _NO_FIELD,
    ("rocketmq", "ShowGroup", "/app_name"): _NO_FIELD,
}
