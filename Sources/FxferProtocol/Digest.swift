/// A SHA-256 value: 32 bytes, compared by value, never by its text.
public struct Digest: Hashable, Sendable {
    /// The size of a SHA-256 value in bytes (FIPS 180-4).
    public static let byteCount = 32

    /// The SHA-256 of no bytes at all: the running digest at offset 0.
    public static let ofNothing = Digest(
        words: (0xe3b0_c442_98fc_1c14, 0x9afb_f4c8_996f_b924, 0x27ae_41e4_649b_934c, 0xa495_991b_7852_b855)
    )

    /// 32 bytes of zero, the digest of nothing known: what stands in a proof where there is no certificate.
    package static let zero = Digest(words: (0, 0, 0, 0))

    private let word0, word1, word2, word3: UInt64

    /// Four big-endian words, the first bytes of the digest first.
    init(words: (UInt64, UInt64, UInt64, UInt64)) {
        (self.word0, self.word1, self.word2, self.word3) = words
    }

    /// Takes the digest's 32 bytes; nil where there are fewer or more.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        var rest = bytes[...]
        func nextWord() -> UInt64 {
            defer { rest = rest.dropFirst(8) }
            return rest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        }
        self.init(words: (nextWord(), nextWord(), nextWord(), nextWord()))
    }

    /// Takes the digest's 32 bytes from memory; nil where there are fewer or more.
    package init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        func word(_ index: Int) -> UInt64 {
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
        }
        self.init(words: (word(0), word(1), word(2), word(3)))
    }

    /// Reads what ``hex`` writes; nil for anything else.
    package init?(hex: String) {
        guard hex.utf8.count == 2 * Self.byteCount else { return nil }
        var words: [UInt64] = [0, 0, 0, 0]
        for (index, digit) in hex.utf8.enumerated() {
            guard let value = digit.hexDigitValue else { return nil }
            words[index / 16] = words[index / 16] << 4 | UInt64(value)
        }
        self.init(words: (words[0], words[1], words[2], words[3]))
    }

    /// The digest as its four big-endian words.
    var words: (UInt64, UInt64, UInt64, UInt64) {
        (self.word0, self.word1, self.word2, self.word3)
    }

    /// The digest's 32 bytes.
    public var bytes: [UInt8] {
        [self.word0, self.word1, self.word2, self.word3].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
        }
    }

    /// 64 lower-case hexadecimal digits, as `sha256sum` prints them.
    public var hex: String {
        String(unsafeUninitializedCapacity: 2 * Self.byteCount) { digits in
            self.writeHex(to: UnsafeMutableRawBufferPointer(digits))
            return 2 * Self.byteCount
        }
    }

    /// Adds the digits of ``hex`` to `text`.
    func appendHex(to text: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: 2 * Self.byteCount, alignment: 1) { digits in
            self.writeHex(to: digits)
            text.append(contentsOf: digits)
        }
    }

    /// Writes 64 digits to the beginning of `digits`.
    private func writeHex(to digits: UnsafeMutableRawBufferPointer) {
        func write(_ word: UInt64, at offset: Int) {
            for index in 0..<16 {
                let nibble = UInt8(truncatingIfNeeded: word >> (60 - 4 * UInt64(index))) & 15
                digits[offset + index] = nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
            }
        }
        write(self.word0, at: 0)
        write(self.word1, at: 16)
        write(self.word2, at: 32)
        write(self.word3, at: 48)
    }
}

extension Digest: CustomStringConvertible {
    /// The same text as ``hex``.
    public var description: String { self.hex }
}
