/// A binary heap of things to come, by time; what is due at the same time comes in the order of adding.
struct EventQueue<Payload> {
    private struct Key {
        var time: UInt64
        var order: UInt64
        var slot: Int
    }

    private var heap: [Key] = []
    private var slots: [Payload?] = []
    private var free: [Int] = []
    private var order: UInt64 = 0

    init() {}

    var isEmpty: Bool { heap.isEmpty }

    /// When the next is due.
    var nextTime: UInt64? { heap.first?.time }

    mutating func add(_ payload: Payload, at time: UInt64) {
        let slot: Int
        if let reused = free.popLast() {
            slot = reused
            slots[slot] = payload
        } else {
            slot = slots.count
            slots.append(payload)
        }
        order += 1
        heap.append(Key(time: time, order: order, slot: slot))
        siftUp(heap.count - 1)
    }

    mutating func next() -> (time: UInt64, payload: Payload)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            heap[0] = last
            siftDown(0)
        }
        defer {
            slots[first.slot] = nil
            free.append(first.slot)
        }
        return slots[first.slot].map { (first.time, $0) }
    }

    private func precedes(_ left: Key, _ right: Key) -> Bool {
        left.time < right.time || (left.time == right.time && left.order < right.order)
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard precedes(heap[child], heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && precedes(heap[child], heap[least])
            {
                least = child
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
