/// An array that is also cheap to shorten at the front: the front is only marked as gone and swept away once it is half
/// of the whole, so each element moves at most once on average.
struct Trail<Element> {
    private var storage: [Element] = []
    private var head = 0

    init() {}

    var count: Int { storage.count - head }
    var isEmpty: Bool { storage.count == head }
    var first: Element? { isEmpty ? nil : storage[head] }
    var last: Element? { isEmpty ? nil : storage[storage.count - 1] }

    subscript(index: Int) -> Element {
        get { storage[head + index] }
        set { storage[head + index] = newValue }
    }

    /// The elements from `start` up to `end`, by copy.
    func slice(_ start: Int, _ end: Int) -> [Element] { Array(storage[head + start..<head + end]) }

    mutating func append(_ element: Element) { storage.append(element) }

    mutating func removeLast() { storage.removeLast() }

    mutating func removeLast(_ count: Int) { storage.removeLast(count) }

    /// Releases the first `count` elements: their room is kept until the sweep, what they hold too.
    mutating func removeFirst(_ count: Int = 1) {
        head += count
        if head == storage.count {
            storage.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 16, head * 2 >= storage.count {
            storage.removeSubrange(0..<head)
            head = 0
        }
    }

    mutating func removeAll() {
        storage.removeAll(keepingCapacity: true)
        head = 0
    }
}

extension Trail: Sendable where Element: Sendable {}
