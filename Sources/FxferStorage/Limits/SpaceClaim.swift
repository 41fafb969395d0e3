import FxferProtocol

/// The space that one file on its way into a store takes of a ``SpaceLedger``: given back when the last reference to
/// it is gone, unless it was settled before.
final class SpaceClaim: Sendable {
    private let ledger: SpaceLedger
    private let number: UInt64

    init(_ ledger: SpaceLedger, _ number: UInt64) {
        self.ledger = ledger
        self.number = number
    }

    deinit {
        self.ledger.settle(self.number, leaving: 0)
    }

    /// See ``SpaceLedger/grow(_:to:)``.
    func grow(to size: UInt64) -> SpaceLedger.Answer {
        self.ledger.grow(self.number, to: size)
    }

    /// So many bytes of it are on the disk, so many of them verified.
    func note(position: UInt64, kept: UInt64) {
        self.ledger.note(self.number, position: position, kept: kept)
    }

    /// The file is over, and so many bytes of it stay in the store. What comes later has no effect.
    func settle(leaving bytes: UInt64) {
        self.ledger.settle(self.number, leaving: bytes)
    }
}
