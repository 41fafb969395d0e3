import FxferNetwork
import FxferProtocol
import NIOCore
import Synchronization

/// The failed proofs of every address that had some lately. Shared by all connections of a server.
///
/// A wrong proof is answered after ``delay(for:now:deadline:)``, and reported as failed. A right one is answered at once,
/// whatever others at its address have done; it forgives nothing: else a client with one good token could guess another
/// between two uses of its own.
final class AddressPenalties: Sendable {
    private let limit: Int
    private let penalties = Mutex<[AddressBlock: ProofPenalty]>([:])

    /// - Parameter limit: how many addresses are remembered; where there are more, the one whose last failure is oldest
    ///   is forgotten.
    init(limit: Int = 10_000) {
        self.limit = limit
    }

    /// How many addresses are remembered.
    var count: Int { self.penalties.withLock { $0.count } }

    /// How long to wait from now on before a wrong proof from this address is answered.
    ///
    /// - Throws: `.busy` where that would be after `deadline`: it is answered now, and so.
    func delay(for address: AddressBlock, now: NIODeadline, deadline: NIODeadline) throws(FxferError) -> TimeAmount {
        let delay = self.penalties.withLock { penalties -> TimeAmount? in
            guard var penalty = penalties.removeValue(forKey: address) else { return .zero }
            guard !penalty.isForgotten(now: now) else { return .zero }
            let delay = penalty.takeSlot(now: now, deadline: deadline)
            penalties[address] = penalty
            return delay
        }
        guard let delay else {
            throw FxferError(.busy, "too many wrong tokens from your address; try again in a minute")
        }
        return delay
    }

    /// A proof from this address was wrong.
    func failed(_ address: AddressBlock, now: NIODeadline) {
        self.penalties.withLock { penalties in
            var penalty = penalties[address] ?? ProofPenalty(now: now)
            if penalty.isForgotten(now: now) { penalty = ProofPenalty(now: now) }
            penalty.failed(now: now)
            if penalties[address] == nil, penalties.count >= self.limit {
                if let oldest = penalties.min(by: { $0.value.lastFailure < $1.value.lastFailure }) {
                    penalties[oldest.key] = nil
                }
            }
            penalties[address] = penalty
        }
    }
}
