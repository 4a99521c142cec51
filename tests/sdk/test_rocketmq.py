from case import Case
class RocketMQ(Case):
    id = "x"
