import FxferProtocol

/// How long the ledger was when it was durable last, and the hash of its last line: the content of `ledger.head`.
///
/// It is written after the ledger was flushed and not flushed itself, so it may be behind after a crash, but never ahead:
/// a ledger that is shorter, or has another line there, was cut or edited.
struct LedgerHead: Hashable, Sendable {
    /// In bytes; the end of a line.
    var length: UInt64
    /// ``FxferProtocol/Digest/zero`` where there is no line yet.
    var last: Digest

    static let empty = LedgerHead(length: 0, last: .zero)

    /// One line, always of ``byteCount`` bytes, so that it is overwritten in one call.
    var encoded: [UInt8] {
        let digits = String(self.length)
        return Array((String(repeating: "0", count: 20 - digits.count) + digits + " " + self.last.hex + "\n").utf8)
    }

    static let byteCount = 20 + 1 + 2 * Digest.byteCount + 1

    init(length: UInt64, last: Digest) {
        self.length = length
        self.last = last
    }

    /// Nil where the bytes are no head.
    init?(_ bytes: [UInt8]) {
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let length = UInt64(parts[0]), let last = Digest(hex: String(parts[1].dropLast()))
        else { return nil }
        self.init(length: length, last: last)
        guard self.encoded == bytes else { return nil }
    }
}

/// What is in `ledger.head`.
enum HeadFile: Hashable, Sendable {
    case head(LedgerHead)
    /// Nothing, or zeros: it was not written yet, or a loss of power has taken it.
    case none
    case damaged

    /// The head that it tells.
    var head: LedgerHead? {
        if case .head(let head) = self { head } else { nil }
    }

    init(_ bytes: [UInt8]) {
        if let head = LedgerHead(bytes) {
            self = .head(head)
        } else {
            self = bytes.allSatisfy { $0 == 0 } ? .none : .damaged
        }
    }
}
