import FxferProtocol
import Synchronization

/// How much room a store has under its limits: asks the disk where the ledger alone cannot tell.
actor StoreSpace<Base: MeasuredStore> {
    /// How long the store is not looked through again: what is removed from it counts at the latest then.
    private static var measuringPause: Duration { .seconds(2) }
    /// Of a server's time, no more than this part goes into looking through its store.
    private static var pauseFactor: Int { 10 }
    /// How long a small file relies on what the disk said last.
    private static var freeSpaceIsKnownFor: Duration { .seconds(1) }

    nonisolated let ledger: SpaceLedger
    private let base: Base
    private let limits: StorageLimits
    /// What may still be claimed without asking the disk, and until when.
    private nonisolated let knownRoom = Mutex<(bytes: UInt64, until: ContinuousClock.Instant)?>(nil)
    private var isMeasuring = false
    private var measurementWaiters: [CheckedContinuation<Void, Never>] = []
    private var nextMeasurement = ContinuousClock.now

    init(_ base: Base, _ limits: StorageLimits) {
        self.base = base
        self.limits = limits
        self.ledger = SpaceLedger(limit: limits.maxTotalSize)
    }

    /// Looks through the store for the first time.
    ///
    /// - Throws: as ``MeasuredStore/measure()``.
    func measureFirst() async throws {
        guard self.limits.maxTotalSize != nil else { return }
        self.ledger.beginMeasuring()
        self.ledger.measured(try await self.base.measure())
    }

    /// Claims space for a small file without asking the disk; nil where that has to be done.
    nonisolated func claimAtOnce(_ size: UInt64) -> SpaceClaim? {
        guard self.limits.minFreeSpace == 0 || self.takeKnownRoom(size) else { return nil }
        return self.ledger.claim(size)
    }

    private nonisolated func takeKnownRoom(_ size: UInt64) -> Bool {
        self.knownRoom.withLock { room in
            guard let known = room, .now < known.until, known.bytes >= size else { return false }
            room = (known.bytes - size, known.until)
            return true
        }
    }

    /// Lets a file's claim grow to `size` bytes.
    ///
    /// - Throws: `.noSpace` where a limit is reached; `.io` where the disk does not say what is free; `CancellationError`.
    nonisolated func grow(_ claim: SpaceClaim, to size: UInt64, _ path: RelativePath) async throws {
        var answer = claim.grow(to: size)
        if answer == .overLimit, await self.measureAgain() {
            answer = claim.grow(to: size)
        }
        switch answer {
        case .held: break
        case .granted: try await self.checkFree(path)
        case .overLimit:
            throw FxferError(
                .noSpace,
                "cannot store '\(path)': the server's limit of \(self.limits.maxTotalSize ?? .max) bytes in all is reached"
            )
        }
    }

    /// Makes sure that enough stays free when all that is under way has been written.
    private nonisolated func checkFree(_ path: RelativePath) async throws {
        guard self.limits.minFreeSpace > 0, let available = try await self.base.availableBytes() else { return }
        let toCome = self.ledger.toCome
        let room = available > toCome ? available - toCome : 0
        guard room >= self.limits.minFreeSpace else {
            throw FxferError(
                .noSpace,
                "cannot store '\(path)': the server keeps \(self.limits.minFreeSpace) bytes of its disk free, and has "
                    + "\(available), of which \(toCome) are for files under way"
            )
        }
        self.knownRoom.withLock { $0 = (room - self.limits.minFreeSpace, .now + Self.freeSpaceIsKnownFor) }
    }

    /// Looks through the store, or waits for the one who does; false where that was done a moment ago, or fails.
    private func measureAgain() async -> Bool {
        guard !self.isMeasuring else {
            await withCheckedContinuation { self.measurementWaiters.append($0) }
            return true
        }
        let began = ContinuousClock.now
        guard self.limits.maxTotalSize != nil, began >= self.nextMeasurement else { return false }
        self.isMeasuring = true
        self.ledger.beginMeasuring()
        let found = try? await self.base.measure()
        if let found { self.ledger.measured(found) }
        let end = ContinuousClock.now
        self.nextMeasurement = end + max(Self.measuringPause, (end - began) * Self.pauseFactor)
        self.isMeasuring = false
        for waiter in self.measurementWaiters { waiter.resume() }
        self.measurementWaiters = []
        return found != nil
    }
}
