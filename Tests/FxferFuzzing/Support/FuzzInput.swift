/// Bytes that decide what a fuzz target does: read front to back, and zero from their end on.
struct FuzzInput {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        self.rest = bytes[...]
    }

    var isEmpty: Bool { self.rest.isEmpty }

    mutating func byte() -> UInt8 { self.rest.popFirst() ?? 0 }

    mutating func flag() -> Bool { self.byte() & 1 == 1 }

    /// A number from 0 up to, but not including, `count`, which is 256 at the most.
    mutating func choice(_ count: Int) -> Int { count > 0 ? Int(self.byte()) % count : 0 }

    mutating func element<Element>(of elements: [Element]) -> Element { elements[self.choice(elements.count)] }

    /// Up to `count` bytes.
    mutating func bytes(_ count: Int) -> [UInt8] {
        defer { self.rest = self.rest.dropFirst(count) }
        return Array(self.rest.prefix(count))
    }

    /// A number, big-endian.
    mutating func integer<Value: FixedWidthInteger>(_: Value.Type = Value.self) -> Value {
        (0..<Value.bitWidth / 8).reduce(0) { value, _ in value << 8 | Value(truncatingIfNeeded: self.byte()) }
    }

    /// A number near `place`, near 0, near a power of two, or any other.
    mutating func number(near place: UInt64) -> UInt64 {
        let distance = UInt64(self.choice(4))
        switch self.choice(8) {
        case 0...2: return place
        case 3: return place &+ distance
        case 4: return place &- distance
        case 5: return distance
        case 6: return 1 << UInt64(self.choice(64)) &- distance
        default: return self.integer()
        }
    }
}
