# pragma version 0.4.3
"""
@notice Hears what services outside the network answered, and sells at the last price that it heard.
"""

SYSTEM: constant(address) = 0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE

last: public(HashMap[String[32], Bytes[1024]])
asked: public(HashMap[String[32], Bytes[1024]])
time: public(HashMap[String[32], uint256])
heard: public(uint256)

event Bought:
    price: Bytes[1024]

@external
def answered(service: String[32], request: Bytes[1024], response: Bytes[1024], time: uint256):
    assert msg.sender == SYSTEM, "only the system tells answers"
    self.last[service] = response
    self.asked[service] = request
    self.time[service] = time
    self.heard += 1

@external
def buy(service: String[32]):
    assert len(self.last[service]) > 0, "no price"
    log Bought(price=self.last[service])
