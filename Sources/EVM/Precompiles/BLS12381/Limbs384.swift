/// Six limbs: BLS12-381 base field elements.
package struct Limbs384: LimbVector {
    package var l0: UInt64
    package var l1: UInt64
    package var l2: UInt64
    package var l3: UInt64
    package var l4: UInt64
    package var l5: UInt64

    /// From limbs, least significant first.
    @inline(__always)
    package init(_ l0: UInt64, _ l1: UInt64, _ l2: UInt64, _ l3: UInt64, _ l4: UInt64, _ l5: UInt64) {
        self.l0 = l0
        self.l1 = l1
        self.l2 = l2
        self.l3 = l3
        self.l4 = l4
        self.l5 = l5
    }

    @inline(__always)
    package static var zero: Limbs384 { Limbs384(0, 0, 0, 0, 0, 0) }
    @inline(__always)
    package static var one: Limbs384 { Limbs384(1, 0, 0, 0, 0, 0) }
    @inline(__always)
    package static var limbCount: Int { 6 }

    @inline(__always)
    package func limb(_ index: Int) -> UInt64 {
        switch index {
        case 0: l0
        case 1: l1
        case 2: l2
        case 3: l3
        case 4: l4
        case 5: l5
        default: 0
        }
    }

    @inline(__always)
    package mutating func setLimb(_ index: Int, _ value: UInt64) {
        switch index {
        case 0: l0 = value
        case 1: l1 = value
        case 2: l2 = value
        case 3: l3 = value
        case 4: l4 = value
        case 5: l5 = value
        default: break
        }
    }

    @inline(__always)
    package func addingWithCarry(_ other: Limbs384) -> (sum: Limbs384, carry: UInt64) {
        var carry: UInt64 = 0
        let r0 = addWithCarry(l0, other.l0, &carry)
        let r1 = addWithCarry(l1, other.l1, &carry)
        let r2 = addWithCarry(l2, other.l2, &carry)
        let r3 = addWithCarry(l3, other.l3, &carry)
        let r4 = addWithCarry(l4, other.l4, &carry)
        let r5 = addWithCarry(l5, other.l5, &carry)
        return (Limbs384(r0, r1, r2, r3, r4, r5), carry)
    }

    @inline(__always)
    package func subtractingWithBorrow(_ other: Limbs384) -> (difference: Limbs384, borrow: UInt64) {
        var borrow: UInt64 = 0
        let r0 = subtractWithBorrow(l0, other.l0, &borrow)
        let r1 = subtractWithBorrow(l1, other.l1, &borrow)
        let r2 = subtractWithBorrow(l2, other.l2, &borrow)
        let r3 = subtractWithBorrow(l3, other.l3, &borrow)
        let r4 = subtractWithBorrow(l4, other.l4, &borrow)
        let r5 = subtractWithBorrow(l5, other.l5, &borrow)
        return (Limbs384(r0, r1, r2, r3, r4, r5), borrow)
    }

    @inline(__always)
    package func shiftedRight(_ bits: Int) -> Limbs384 {
        let s = UInt64(bits)
        let c = 64 &- s
        return Limbs384(
            l0 &>> s | l1 &<< c, l1 &>> s | l2 &<< c, l2 &>> s | l3 &<< c, l3 &>> s | l4 &<< c, l4 &>> s | l5 &<< c,
            l5 &>> s)
    }

    @inline(__always)
    package func shiftedLeft(_ bits: Int) -> Limbs384 {
        let s = UInt64(bits)
        let c = 64 &- s
        return Limbs384(
            l0 &<< s, l1 &<< s | l0 &>> c, l2 &<< s | l1 &>> c, l3 &<< s | l2 &>> c, l4 &<< s | l3 &>> c,
            l5 &<< s | l4 &>> c)
    }

    @inline(__always)
    package func selected(_ mask: UInt64, else other: Limbs384) -> Limbs384 {
        Limbs384(
            l0 & mask | other.l0 & ~mask, l1 & mask | other.l1 & ~mask, l2 & mask | other.l2 & ~mask,
            l3 & mask | other.l3 & ~mask, l4 & mask | other.l4 & ~mask, l5 & mask | other.l5 & ~mask)
    }
}
