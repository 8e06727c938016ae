/// A growing array at a stable interface of raw pointers: no bounds, uniqueness or exclusivity checks between the
/// interpreter and a storage slot. Only for the state's own tables, whose indexes never come from outside.
struct Pool<Element> {
    private(set) var base: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int) {
        base = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    /// The place of the element at an index below ``count``; it moves when the pool grows.
    @inline(__always)
    subscript(index: Int) -> UnsafeMutablePointer<Element> { base + index }

    /// Appends an element and gives its index.
    @inline(__always)
    mutating func append(_ element: Element) -> Int {
        if count == capacity { grow() }
        (base + count).initialize(to: element)
        count &+= 1
        return count &- 1
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: base, count: count)
        base.deallocate()
        base = larger
        capacity *= 2
    }

    /// Drops the elements after the first `count`.
    @inline(__always)
    mutating func truncate(to count: Int) {
        (base + count).deinitialize(count: self.count - count)
        self.count = count
    }

    /// Frees everything; the pool can't be used after it.
    func destroy() {
        base.deinitialize(count: count)
        base.deallocate()
    }
}
