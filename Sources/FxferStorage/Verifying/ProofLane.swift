import FxferProtocol
import Synchronization

/// One of the readers of a ``FileProof``: it hashes one step after another, and has a buffer of its own. It belongs to
/// one task.
final class ProofLane: Sendable {
    private let proof: FileProof
    private let pool: DiskPool
    private let pace: FileProof.Pace?
    private let progress: FileProof.Progress?
    /// Locked by one thread at a time without waiting: it goes from hop to hop.
    private let reader = Mutex(Reader())

    init(_ proof: FileProof, _ pool: DiskPool, _ pace: FileProof.Pace?, _ progress: FileProof.Progress?) {
        self.proof = proof
        self.pool = pool
        self.pace = pace
        self.progress = progress
    }

    /// Checks what `work` gives; answers the steps that do not hold.
    func check(_ work: ProofWork) async throws -> [Int] {
        var failed: [Int] = []
        while let portion = work.take() {
            for index in portion {
                self.begin(at: index)
                if try await !self.hash(index) || !self.holds(index) { failed.append(index) }
            }
        }
        return failed
    }

    /// Hashes in one go where steps of `failed` did not hold; answers those that were changed: none where the file has
    /// its digest.
    func retrace(_ failed: [Int]) async throws -> [Int] {
        var open = failed[...]
        while let first = open.first, let last = open.last {
            guard let end = try await self.follow(from: first, through: last) else { return Array(open) }
            open = open.drop { $0 < end }
        }
        return []
    }

    /// Hashes from the step `first` on until a state is met, or the digest at the end of the file; answers the step that
    /// begins there. Nil where none is met up to the end of `last`.
    private func follow(from first: Int, through last: Int) async throws -> Int? {
        // One step alone did not hold, and needs no second look.
        guard first < last else { return nil }
        self.begin(at: first)
        for index in first...last {
            guard try await self.hash(index) else { return nil }
            if self.holds(index) { return index + 1 }
        }
        return nil
    }

    private func begin(at index: Int) {
        let (states, size) = (self.proof.states, self.proof.size)
        self.reader.withLock { $0.begin(at: states.step(index, of: size).lowerBound, states.start(of: index)) }
    }

    /// Hashes the bytes of a step, which follow on the last ones; false where the file ends before.
    private func hash(_ index: Int) async throws -> Bool {
        let step = self.proof.states.step(index, of: self.proof.size)
        var offset = step.lowerBound
        while offset < step.upperBound {
            let count = Int(min(step.upperBound - offset, Self.bytesPerHop))
            // Here, too: where a thread is free at once, the pool does not ask.
            try Task.checkCancellation()
            try await self.pace?(count)
            let read = try await self.pool.run { try self.reader.withLock { try $0.read(count, of: self.proof) } }
            self.progress?(read)
            guard read == count else { return false }
            offset += UInt64(count)
        }
        return true
    }

    /// About 0.6 ms of hashing at 1.7 GB/s; a hop takes a fiftieth of that.
    private static let bytesPerHop: UInt64 = 1 << 20

    /// Whether what was hashed leads to where the step has to end.
    private func holds(_ index: Int) -> Bool {
        self.reader.withLock { reader in
            guard let end = self.proof.states.end(of: index) else { return reader.hash.digest() == self.proof.digest }
            return reader.hash.state == end
        }
    }
}

/// A hash that is somewhere in a file, and what is read into.
private struct Reader: ~Copyable {
    private(set) var hash = SHA256()
    private var offset: UInt64 = 0
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: SHA256.readSize, alignment: 4096)

    deinit {
        self.buffer.deallocate()
    }

    mutating func begin(at offset: UInt64, _ state: HashState) {
        self.offset = offset
        self.hash = SHA256(of: offset, state)
    }

    /// Reads and hashes `count` bytes; answers how many there were before the file's end.
    mutating func read(_ count: Int, of proof: FileProof) throws(FxferError) -> Int {
        var done = 0
        while done < count {
            let part = UnsafeMutableRawBufferPointer(rebasing: self.buffer.prefix(count - done))
            let read: Int
            do throws(Errno) {
                read = try proof.file.read(into: part, at: self.offset)
            } catch {
                throw proof.unreadable(at: self.offset, error)
            }
            self.hash.update(UnsafeRawBufferPointer(rebasing: part.prefix(read)))
            self.offset += UInt64(read)
            done += read
            guard read == part.count else { break }
        }
        return done
    }
}
