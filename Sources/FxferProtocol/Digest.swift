/// A SHA-256 value: 32 bytes, compared by value, never by its text.
public struct Digest: Hashable, Sendable {
    /// The size of a SHA-256 value in bytes (FIPS 180-4).
    public static let byteCount = 32

    /// The SHA-256 of no bytes at all: the running digest at offset 0.
    public static let ofNothing = Digest(
        words: (0xe3b0_c442_98fc_1c14, 0x9afb_f4c8_996f_b924, 0x27ae_41e4_649b_934c, 0xa495_991b_7852_b855)
    )

    private let word0, word1, word2, word3: UInt64

    /// Four big-endian words, the first bytes of the digest first.
    init(words: (UInt64, UInt64, UInt64, UInt64)) {
        (self.word0, self.word1, self.word2, self.word3) = words
    }

    /// Takes the digest's 32 bytes; nil where there are fewer or more.
    public init?(bytes: some Sequence<UInt8>) {
        var words = [UInt64](repeating: 0, count: 4)
        var count = 0
        for byte in bytes {
            guard count < Self.byteCount else { return nil }
            words[count / 8] = words[count / 8] << 8 | UInt64(byte)
            count += 1
        }
        guard count == Self.byteCount else { return nil }
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
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: self.bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
            as: UTF8.self
        )
    }
}

extension Digest: CustomStringConvertible {
    /// The same text as ``hex``.
    public var description: String { self.hex }
}
