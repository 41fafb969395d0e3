/// Where a running SHA-256 is: all that it takes to go on from there, on another machine, too.
package struct HashCheckpoint: Equatable, Sendable {
    /// How many bytes were hashed.
    package let position: UInt64
    /// After the last whole block.
    let state: HashState
    /// What was hashed behind that: fewer than 64 bytes.
    let pending: [UInt8]

    init(position: UInt64, state: HashState, pending: [UInt8]) {
        self.position = position
        self.state = state
        self.pending = pending
    }

    /// The form in which it is kept beside its position: the state's words, big-endian, and what follows the last block.
    package var encoded: [UInt8] {
        withUnsafeBytes(of: self.state.words) { words in
            stride(from: 0, to: words.count, by: 4).flatMap { offset in
                withUnsafeBytes(of: words.loadUnaligned(fromByteOffset: offset, as: UInt32.self).bigEndian, Array.init)
            }
        } + self.pending
    }

    /// Reads what ``encoded`` writes; nil where it cannot be that of this position.
    package init?(position: UInt64, encoded: [UInt8]) {
        let pending = encoded.count - HashState.byteCount
        guard pending >= 0, UInt64(pending) == position % UInt64(HashState.blockSize) else { return nil }
        func word(_ index: Int) -> UInt32 {
            encoded[4 * index..<4 * index + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
        self.position = position
        self.state = HashState(words: (word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7)))
        self.pending = Array(encoded[HashState.byteCount...])
    }
}
