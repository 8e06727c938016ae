# pragma version 0.4.3
# Counts calls: what a duplicate or a lost transaction shows in at once.

event Counted:
    number: uint256
    by: indexed(address)

number: public(uint256)


@external
def increment() -> uint256:
    self.number += 1
    log Counted(number=self.number, by=msg.sender)
    return self.number
