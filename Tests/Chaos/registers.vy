# pragma version 0.4.3
# Registers, one a key. Each call says in an event what it found and left, and which place among all calls it has.

event Done:
    operation: indexed(uint256)
    key: uint256
    before: uint256
    after: uint256
    place: uint256

registers: HashMap[uint256, uint256]
place: uint256


@internal
def done(operation: uint256, key: uint256, after: uint256):
    before: uint256 = self.registers[key]
    self.registers[key] = after
    self.place += 1
    log Done(operation=operation, key=key, before=before, after=after, place=self.place)


@external
def write(operation: uint256, key: uint256, wanted: uint256):
    self.done(operation, key, wanted)


@external
def cas(operation: uint256, key: uint256, expected: uint256, wanted: uint256):
    before: uint256 = self.registers[key]
    self.done(operation, key, wanted if before == expected else before)


@external
def add(operation: uint256, key: uint256, amount: uint256):
    self.done(operation, key, self.registers[key] + amount)


@external
def observe(operation: uint256, key: uint256):
    self.done(operation, key, self.registers[key])


@external
@view
def read(key: uint256) -> uint256:
    return self.registers[key]
