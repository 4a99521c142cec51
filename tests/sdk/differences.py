"""Where the SDK reads an answer otherwise than the reference prints it. The reference is followed, and here is why.

Keys are the engine, the operation, and where in the answer.
"""

_STRING = 'read as True: Boolean in the reference\'s table as well, but its example prints the string "false" (5.5.3)'
_UNKNOWN = "not read: printed by the reference (5.6.8), and no field of the SDK's"

DIFFERENCES = {
    ("kafka", "ShowInstance", "/port_protocols"): "read as an empty object: an object in the reference's table as well, "
    "but its example prints the JSON of one in a string (5.1.3)",
    ("kafka", "ListInstanceTopics", "/topics/*/sync_replication"): _STRING,
    ("kafka", "ListInstanceTopics", "/topics/*/sync_message_flush"): _STRING,
    ("kafka", "ListInstanceConsumerGroup", "/group/members"): _UNKNOWN,
    ("kafka", "ListInstanceConsumerGroup", "/group/group_message_offsets"): _UNKNOWN,
}
