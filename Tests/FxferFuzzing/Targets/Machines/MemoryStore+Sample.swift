import FxferProtocol

extension MemoryStore {
    static let names: [[UInt8]] = ["a", "b", "c", "d/e", "d"].map { Array($0.utf8) }

    /// Content that differs from name to name; `variant` 0 is what stores begin with.
    static func content(_ path: [UInt8], _ count: Int, variant: UInt8 = 0) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) &+ (path.last ?? 0) &+ variant }
    }

    /// A store that the input chooses: some names are taken, one has decayed, of one a part is left.
    static func sample(_ input: inout FuzzInput) -> MemoryStore {
        var store = MemoryStore()
        store.policy = input.element(of: Policy.allCases)
        let kinds = input.byte()
        let count = input.choice(48)
        if kinds & 1 != 0 { store.files[Self.names[0]] = Stored(content: Self.content(Self.names[0], count)) }
        if kinds & 2 != 0, count > 0 { store.files[Self.names[1]] = Self.decayed(Self.names[1], count, &input) }
        if kinds & 4 != 0 { store.partials[Self.names[2]] = Self.content(Self.names[2], count) }
        if kinds & 8 != 0 { store.files[Self.names[0]]?.hasTime = false }
        if kinds & 16 != 0 { store.partials[Self.names[3]] = Self.content(Self.names[3], count, variant: 1) }
        return store
    }

    /// A file of which a byte or more has decayed, and something true or false is said of the damage.
    private static func decayed(_ path: [UInt8], _ count: Int, _ input: inout FuzzInput) -> Stored {
        let original = Self.content(path, count)
        var content = original
        for _ in 0...input.choice(3) { content[input.choice(count)] ^= input.byte() | 1 }
        if content == original { content[0] ^= 1 }
        let ranges = (0..<input.choice(4)).compactMap { _ -> Range<UInt64>? in
            let (start, length) = (input.choice(count), input.choice(count))
            return length == 0 || start + length > count ? nil : UInt64(start)..<UInt64(start + length)
        }
        let digest = Digest(ofContent: original)
        let decay =
            Decay(of: UInt64(count), digest: digest, damaged: ranges)
            ?? Decay(of: UInt64(count), digest: digest, damaged: [])
        return Stored(content: content, original: original, decay: decay)
    }

    /// Makes sure that nothing is in the store but what was there before and what was published since.
    func checkNothingElse(since before: MemoryStore) throws(BrokenRule) {
        for (path, file) in before.files where self.files[path] != file {
            let now = try require(self.files[path], "a file is gone")
            try require(self.wasPublished(now.content, at: path), "a file was changed that was not replaced")
        }
        for (path, file) in self.files where before.files[path] == nil {
            try require(self.wasPublished(file.content, at: path), "a file is there that was not published")
        }
    }
}
