import NIOCore

/// The inner state of SHA-256 after some whole blocks of 64 bytes: the eight words H of FIPS 180-4, section 6.2.
///
/// Unlike a digest it can be gone on from (``SHA256/init(of:_:)``). Who knows it knows nothing that the digest of the
/// same bytes would not tell.
package struct HashState: Sendable {
    /// Its size on disk in bytes.
    package static let byteCount = 32
    /// The bytes of a block; there are states at multiples of it only.
    static let blockSize = 64

    typealias Words = (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32)

    let words: Words

    /// The state before any byte.
    static let initial: HashState = {
        guard let state = SHA256().state else { preconditionFailure("a new hash is not within a block") }
        return state
    }()
}

extension HashState: Equatable {
    package static func == (one: HashState, other: HashState) -> Bool {
        withUnsafeBytes(of: one.words) { one in withUnsafeBytes(of: other.words) { one.elementsEqual($0) } }
    }
}

extension ByteBuffer {
    /// Writes the words of `state`, big-endian.
    mutating func writeState(_ state: HashState) {
        let words = state.words
        self.writeMultipleIntegers(words.0, words.1, words.2, words.3, words.4, words.5, words.6, words.7)
    }

    /// Takes a state from the front; nil, and nothing taken, where fewer than 32 bytes are left.
    mutating func readState() -> HashState? {
        self.readMultipleIntegers(as: HashState.Words.self).map { HashState(words: $0) }
    }
}
