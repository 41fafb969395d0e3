import FxferProtocol
import Glibc
import Synchronization

/// Reads a published file again and proves that it still has the content that it was published with, or says where it
/// has not.
///
/// With the inner states of its hash (``HashStates``) each step is hashed on its own, by several threads at once. The
/// states need not be trusted: the file is intact only where the steps form a chain without a gap from SHA-256's initial
/// value to the digest. Where one does not hold, either the file was changed there or a state is wrong. To tell these
/// apart, the file is hashed in one go from the first such step until it meets a state again, at most to the end of the
/// last such step. Behind that all steps hold and end in the digest, so it must meet the state there if the file is
/// intact: two states from which the same bytes lead to one digest would be a collision of SHA-256.
/// So a file is never called changed for wrong states, nor intact for any; but states that somebody made up to fit a
/// changed file may have it told of the wrong place.
package final class FileProof: Sendable {
    /// What came out.
    package enum Finding: Hashable, Sendable {
        /// The file has the size and the digest.
        case intact
        /// It has not. The changed bytes are in these ranges (in bytes, in ascending order, with gaps between them), which
        /// begin and end where states were taken; where there are none at all, it is not known where they are. Of a
        /// file of another size, what is missing or too much is among them.
        case changed(ranges: [Range<UInt64>])
    }

    /// Called before each read with its length in bytes, at most 1 MiB; the read waits for it.
    package typealias Pace = @Sendable (Int) async throws -> Void
    /// Called after each read with its length in bytes, from several tasks at once. What is read a second time does not
    /// count: no more are told than the file has.
    package typealias Progress = @Sendable (Int) -> Void

    let file: OwnedDescriptor
    let path: RelativePath
    let size: UInt64
    let digest: Digest
    let states: HashStates

    /// - Parameters:
    ///   - file: open for reading; a regular file.
    ///   - path: what it is called in errors.
    ///   - size: how many bytes it is to have.
    ///   - digest: the SHA-256 that it is to have.
    ///   - states: left aside where they do not fit the size.
    package init(
        _ file: consuming OwnedDescriptor,
        _ path: RelativePath,
        size: UInt64,
        digest: Digest,
        states: HashStates?
    ) {
        self.file = file
        self.path = path
        self.size = size
        self.digest = digest
        self.states = states.flatMap { $0.fits(size) ? $0 : nil } ?? HashStates(interval: Self.noInterval)
    }

    /// One that no file reaches: without states, all is one step.
    private static let noInterval: UInt64 = 1 << 63

    /// Reads and judges the file, in hops to `pool` of at most 1 MiB, between which a cancelled task ends.
    ///
    /// - Parameter lanes: how many hops there are at once; one where there are no states.
    /// - Throws: `.io` where it cannot be read, with where in the file, to 256 KiB; what `pace` throws; `CancellationError`.
    package func run(
        lanes: Int,
        on pool: DiskPool = .shared,
        pace: Pace? = nil,
        progress: Progress? = nil
    ) async throws -> Finding {
        let actual = try await pool.run { try self.begin() }
        let work = ProofWork(steps: self.wholeSteps(in: actual), of: self.states.interval, lanes: lanes)
        let failed = try await withThrowingTaskGroup(of: [Int].self) { group in
            for _ in 0..<work.lanes {
                group.addTask { try await ProofLane(self, pool, pace, progress).check(work) }
            }
            return try await group.reduce(into: []) { $0 += $1 }.sorted()
        }
        guard actual == self.size else { return self.finding(failed, actual) }
        let changed = try await ProofLane(self, pool, pace, nil).retrace(failed)
        return changed.isEmpty ? .intact : self.finding(changed, actual)
    }

    /// Answers the size of the file.
    private func begin() throws(FxferError) -> UInt64 {
        posix_fadvise(self.file.number, 0, 0, POSIX_FADV_SEQUENTIAL)
        return try self.status().size
    }

    /// What the file is like now.
    func status() throws(FxferError) -> FileStatus {
        do throws(Errno) {
            return try self.file.status()
        } catch {
            throw self.unreadable(at: 0, error)
        }
    }

    /// How many steps a file of `actual` bytes has whole.
    private func wholeSteps(in actual: UInt64) -> Int {
        guard actual < self.size else { return self.states.stepCount }
        return Int(actual / self.states.interval)
    }

    private func finding(_ failed: [Int], _ actual: UInt64) -> Finding {
        let missing = self.wholeSteps(in: actual)..<self.states.stepCount
        guard !self.states.isEmpty || failed.isEmpty && missing.isEmpty else { return .changed(ranges: []) }
        var ranges: [Range<UInt64>] = []
        func add(_ range: Range<UInt64>) {
            guard let last = ranges.last, last.upperBound == range.lowerBound else { return ranges.append(range) }
            ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
        }
        for index in failed + missing { add(self.states.step(index, of: self.size)) }
        if actual > self.size { add(self.size..<actual) }
        return .changed(ranges: ranges)
    }

    func unreadable(at offset: UInt64, _ error: Errno) -> FxferError {
        FxferError(
            .io,
            "cannot read '\(self.path)' from byte \(offset) on: \(error); check the disk, or bring the file back from a copy",
            cause: error
        )
    }
}

/// The steps of a file that are to be checked, handed out to the lanes in order: several at once, so that each lane
/// reads on where it was for a while.
final class ProofWork: Sendable {
    /// How many lanes are of use.
    let lanes: Int
    private let steps: Int
    private let portion: Int
    private let next = Mutex(0)

    /// How many bytes are read in one go, if the interval is not larger: many times what the kernel reads ahead.
    private static let bytesPerPortion: UInt64 = 16 << 20

    init(steps: Int, of interval: UInt64, lanes: Int) {
        self.steps = steps
        self.lanes = max(1, min(lanes, steps))
        // At the end no lane shall wait for another's portion for long: each has several.
        let share = steps / (self.lanes * 4)
        self.portion = max(1, min(share, Int(Self.bytesPerPortion / interval)))
    }

    /// Some steps that no lane has; nil where none is left.
    func take() -> Range<Int>? {
        self.next.withLock { next in
            guard next < self.steps else { return nil }
            let taken = next..<min(next + self.portion, self.steps)
            next = taken.upperBound
            return taken
        }
    }
}
