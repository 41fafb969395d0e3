/// How far a receiver has gone to keep a file before it acknowledges it. Each level includes the ones before.
public enum Durability: UInt8, Hashable, Sendable, CaseIterable, Comparable {
    /// Its bytes have the sender's SHA-256 and stand under its name; they may still be in the system's memory only.
    case verified = 1
    /// Content, name and the folders above it were flushed to the disk: fsync(2).
    case durable = 2
    /// Its content was read again from the disk itself after that, and compared.
    case media = 3

    /// Whether `left` promises less.
    public static func < (left: Durability, right: Durability) -> Bool { left.rawValue < right.rawValue }

    /// As users write it, and as it stands in the ledger and in receipts.
    public var name: String {
        switch self {
        case .verified: "verified"
        case .durable: "durable"
        case .media: "media"
        }
    }

    /// The level that is written so; nil for anything else.
    public init?(name: String) {
        guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }
}
