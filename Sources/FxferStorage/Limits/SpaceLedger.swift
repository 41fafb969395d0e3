import FxferProtocol
import Synchronization

/// Who takes how much of a store: the content that was found in it, and a claim for each file on its way in.
///
/// It looks at no disk and no clock. What was measured and what has changed since is added up here, so that two files
/// which fit alone but not together are told apart before either is written. Where it errs (a file was removed by hand,
/// or replaced), it errs to the side of too much, which the next measurement puts right.
final class SpaceLedger: Sendable {
    enum Answer: Hashable, Sendable {
        /// It had that much already.
        case held
        case granted
        /// All claims and what is stored already would be over the limit.
        case overLimit
    }

    /// A file on its way in.
    private struct Entry {
        /// What it may come to take, in bytes.
        var size: UInt64
        /// How much of that is on the disk.
        var position: UInt64 = 0
        var kept: UInt64 = 0
        /// The one partial that it has, if it has one: it is lost when another takes it over.
        let partial: RelativePath?

        var toCome: Int64 { Int64(clamping: self.size - min(self.position, self.size)) }
    }

    private struct State {
        var lastNumber: UInt64 = 0
        var claims: [UInt64: Entry] = [:]
        var partials: [RelativePath: UInt64] = [:]
        /// Content that belongs to no claim. Below 0 for a moment where a partial changes hands.
        var stored: Int64 = 0
        /// What was added to ``stored`` since the measurement under way began.
        var added: Int64 = 0
        /// The sums over all claims.
        var claimed: Int64 = 0
        var toCome: Int64 = 0
    }

    private let limit: UInt64?
    private let state = Mutex(State())

    /// - Parameter limit: for everything together, in bytes; nil for none.
    init(limit: UInt64?) {
        self.limit = limit
    }

    /// How many bytes are still to be written for all files that are under way.
    var toCome: UInt64 { UInt64(clamping: self.state.withLock { $0.toCome }) }

    /// How many bytes the store holds or has promised to take.
    var total: UInt64 { UInt64(clamping: self.state.withLock { $0.stored.addingWithinBounds($0.claimed) }) }

    // MARK: Claims

    /// Claims space for a file of `size` bytes; nil where there is not enough.
    func claim(_ size: UInt64) -> SpaceClaim? {
        let claim = self.enter(nil, holding: 0)
        return claim.grow(to: size) == .overLimit ? nil : claim
    }

    /// A file without space as yet.
    ///
    /// - Parameters:
    ///   - partial: the path whose only partial it has; a claim that had it before loses it and is settled.
    ///   - position: how many bytes of it are in the store already: they belong to it from now on.
    func enter(_ partial: RelativePath?, holding position: UInt64) -> SpaceClaim {
        let number = self.state.withLock { state in
            if let partial, let former = state.partials[partial] {
                Self.settle(former, leaving: state.claims[former]?.kept ?? 0, &state)
            }
            state.lastNumber += 1
            state.claims[state.lastNumber] = Entry(size: position, position: position, kept: position, partial: partial)
            if let partial { state.partials[partial] = state.lastNumber }
            let held = Int64(clamping: position)
            state.stored = state.stored.addingWithinBounds(-held)
            state.claimed = state.claimed.addingWithinBounds(held)
            return state.lastNumber
        }
        return SpaceClaim(self, number)
    }

    /// Lets a claim grow to `size` bytes; one that is as large already stays as it is.
    func grow(_ number: UInt64, to size: UInt64) -> Answer {
        self.state.withLock { state in
            guard let entry = state.claims[number], size > entry.size else { return .held }
            guard let more = Int64(exactly: size - entry.size) else { return .overLimit }
            let (claimed, overflow) = state.claimed.addingReportingOverflow(more)
            let total = UInt64(clamping: state.stored.addingWithinBounds(claimed))
            guard !overflow, total <= self.limit ?? .max else { return .overLimit }
            state.claims[number]?.size = size
            state.claimed = claimed
            state.toCome += more
            return .granted
        }
    }

    func note(_ number: UInt64, position: UInt64, kept: UInt64) {
        self.state.withLock { state in
            guard var entry = state.claims[number] else { return }
            state.toCome -= entry.toCome
            entry.position = position
            entry.kept = kept
            state.toCome += entry.toCome
            state.claims[number] = entry
        }
    }

    func settle(_ number: UInt64, leaving bytes: UInt64) {
        self.state.withLock { Self.settle(number, leaving: bytes, &$0) }
    }

    private static func settle(_ number: UInt64, leaving bytes: UInt64, _ state: inout State) {
        guard let entry = state.claims.removeValue(forKey: number) else { return }
        state.claimed -= Int64(clamping: entry.size)
        state.toCome -= entry.toCome
        let left = Int64(clamping: min(bytes, entry.size))
        state.stored = state.stored.addingWithinBounds(left)
        state.added = state.added.addingWithinBounds(left)
        if let partial = entry.partial, state.partials[partial] == number { state.partials[partial] = nil }
    }

    // MARK: Measuring

    /// The store is looked through from now on.
    func beginMeasuring() {
        self.state.withLock { $0.added = 0 }
    }

    /// So many bytes were found that belong to no claim. What was stored meanwhile may have been found or not: it is
    /// counted in any case.
    func measured(_ bytes: UInt64) {
        self.state.withLock { $0.stored = Int64(clamping: bytes).addingWithinBounds($0.added) }
    }
}

extension Int64 {
    /// The sum, or the number nearest to it.
    fileprivate func addingWithinBounds(_ other: Int64) -> Int64 {
        let (sum, overflow) = self.addingReportingOverflow(other)
        guard overflow else { return sum }
        return other > 0 ? .max : .min
    }
}
