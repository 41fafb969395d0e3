import FxferProtocol
import Glibc
import NIOCore
import Synchronization
import Testing

@testable import FxferStorage

/// A file that was published once, with the states of its content then, to be changed and proven.
struct ProofSample {
    let folder: TemporaryFolder
    let content: [UInt8]
    var states: HashStates?
    let digest: Digest
    let size: UInt64

    init(_ content: [UInt8], interval: Int = 64) throws {
        self.folder = try TemporaryFolder()
        self.content = content
        var hash = SteppedHash(HashStates(interval: UInt64(interval)))
        hash.update(ByteBuffer(bytes: content))
        self.states = hash.states
        self.digest = hash.digest()
        self.size = UInt64(content.count)
        try self.folder.write(content, to: "a")
    }

    func proof() throws -> FileProof {
        let file = try OwnedDescriptor.open(CPath(self.folder("a")), O_RDONLY)
        return FileProof(file, try path("a"), size: self.size, digest: self.digest, states: self.states)
    }

    func finding(lanes: Int = 2) async throws -> FileProof.Finding {
        try await self.proof().run(lanes: lanes)
    }

    /// What is found when the file has this content.
    func finding(_ content: [UInt8], lanes: Int = 2) async throws -> FileProof.Finding {
        try self.folder.write(content, to: "a")
        return try await self.finding(lanes: lanes)
    }

    /// Other states, in their encoded form's order.
    func forged(_ change: (inout [HashState]) -> Void) -> HashStates {
        var words = self.states?.states ?? []
        change(&words)
        var forged = HashStates(interval: self.states?.interval ?? 64)
        for state in words { forged.add(state) }
        return forged
    }
}

/// What `range` of `bytes` leads to from `state`.
func step(_ state: HashState, _ bytes: [UInt8], _ range: Range<Int>) throws -> HashState {
    var hash = SHA256(of: UInt64(range.lowerBound), state)
    hash.update(ByteBuffer(bytes: bytes[range]))
    let state = hash.state
    return try #require(state)
}

@Suite("The proof of a file")
struct FileProofTests {
    static let sizes = [0, 1, 63, 64, 65, 128, 129, 1000]

    @Test(
        "an unchanged file is intact, with and without states, on any number of lanes",
        arguments: sizes,
        [0, 1, 3, 99]
    )
    func intact(size: Int, lanes: Int) async throws {
        var sample = try ProofSample(testBytes(size))
        #expect(try await sample.finding(lanes: lanes) == .intact)
        sample.states = nil
        #expect(try await sample.finding(lanes: lanes) == .intact)
    }

    @Test("each changed byte is found, and the step that it is in", arguments: [0, 1, 2])
    func everyByte(lanes: Int) async throws {
        let sample = try ProofSample(testBytes(300))
        for index in 0..<300 {
            var content = sample.content
            content[index] ^= 1 << (index % 8)
            let start = UInt64(index / 64 * 64)
            let range = start..<min(start + 64, 300)
            #expect(try await sample.finding(content, lanes: lanes) == .changed(ranges: [range]))
        }
    }

    @Test("steps that lie side by side are one range, others are ranges of their own")
    func merging() async throws {
        let sample = try ProofSample(testBytes(640))
        var content = sample.content
        for index in [70, 130, 400, 639] { content[index] ^= 1 }
        #expect(try await sample.finding(content) == .changed(ranges: [64..<192, 384..<448, 576..<640]))
        #expect(try await sample.finding(testBytes(640, seed: 2)) == .changed(ranges: [0..<640]))
    }

    @Test("random changes are located, however many there are", arguments: 0..<40)
    func random(seed: UInt64) async throws {
        let size = Int.random(in: 1...20_000)
        let sample = try ProofSample(testBytes(size, seed: seed), interval: 64 * .random(in: 1...20))
        let interval = Int(try #require(sample.states).interval)
        var content = sample.content
        let changed = Set((0..<Int.random(in: 1...10)).map { _ in Int.random(in: 0..<size) })
        for index in changed { content[index] ^= .random(in: 1...255) }
        guard case .changed(let ranges) = try await sample.finding(content, lanes: .random(in: 1...4)) else {
            Issue.record("not found")
            return
        }
        let steps = Set(changed.map { $0 / interval })
        let found = Set(
            (0...(size - 1) / interval).filter { step in ranges.contains { $0.contains(UInt64(step * interval)) } }
        )
        // A file of one step has no states, and nothing is located.
        #expect(size <= interval ? ranges.isEmpty : found == steps)
    }

    @Test("without states a change is found and not located")
    func withoutStates() async throws {
        var sample = try ProofSample(testBytes(1000))
        sample.states = nil
        var content = sample.content
        content[500] ^= 1
        #expect(try await sample.finding(content) == .changed(ranges: []))
    }

    @Test("of a shorter file the rest is missing", arguments: [0, 1, 63, 64, 65, 299])
    func shorter(size: Int) async throws {
        var sample = try ProofSample(testBytes(300))
        let cut = Array(sample.content[..<size])
        #expect(try await sample.finding(cut) == .changed(ranges: [UInt64(size / 64 * 64)..<300]))
        var damaged = sample.content
        damaged[0] ^= 1
        let ranges: [Range<UInt64>] = size < 128 ? [0..<300] : [0..<64, 256..<300]
        #expect(try await sample.finding(Array(damaged[..<size])) == .changed(ranges: ranges))
        sample.states = nil
        #expect(try await sample.finding(cut) == .changed(ranges: []))
    }

    @Test("of a longer file the rest is too much")
    func longer() async throws {
        var sample = try ProofSample(testBytes(300))
        #expect(try await sample.finding(sample.content + [0]) == .changed(ranges: [300..<301]))
        var damaged = sample.content + testBytes(70)
        damaged[0] ^= 1
        #expect(try await sample.finding(damaged) == .changed(ranges: [0..<64, 300..<370]))
        damaged[299] ^= 1
        #expect(try await sample.finding(damaged) == .changed(ranges: [0..<64, 256..<370]))
        sample.states = nil
        #expect(try await sample.finding(sample.content + [0]) == .changed(ranges: [300..<301]))
        #expect(try await sample.finding(damaged) == .changed(ranges: []))
        let empty = try ProofSample([])
        #expect(try await empty.finding([1]) == .changed(ranges: [0..<1]))
    }

    @Test("a file of the right content is not intact for another digest")
    func otherDigest() async throws {
        let sample = try ProofSample(testBytes(300))
        for states in [sample.states, nil] {
            let file = try OwnedDescriptor.open(CPath(sample.folder("a")), O_RDONLY)
            let proof = FileProof(file, try path("a"), size: 300, digest: .ofNothing, states: states)
            #expect(try await proof.run(lanes: 2) != .intact)
        }
    }

    @Test("larger files are read in parts, on many lanes, and all of it is told")
    func large() async throws {
        let sample = try ProofSample(testBytes((9 << 20) + 5), interval: 3 << 20)
        let asked = Atomic(0)
        let told = Atomic(0)
        let finding = try await sample.proof().run(
            lanes: 3,
            pace: { asked.add($0, ordering: .relaxed) },
            progress: { told.add($0, ordering: .relaxed) }
        )
        #expect(finding == .intact)
        #expect(asked.load(ordering: .relaxed) == sample.content.count)
        #expect(told.load(ordering: .relaxed) == sample.content.count)
        var content = sample.content
        content[5 << 20] ^= 1
        content[9 << 20] ^= 1
        #expect(
            try await sample.finding(content, lanes: 3) == .changed(ranges: [3 << 20..<6 << 20, 9 << 20..<sample.size])
        )
    }

    @Test("ends with its task, and with what the pace throws")
    func cancelled() async throws {
        let sample = try ProofSample(testBytes(3 << 20), interval: 1 << 20)
        let proof = try sample.proof()
        let task = Task {
            try await proof.run(lanes: 1, pace: { _ in withUnsafeCurrentTask { $0?.cancel() } })
        }
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        await #expect(throws: CannotStage.self) {
            _ = try await proof.run(lanes: 2, pace: { _ in throw CannotStage() })
        }
        #expect(try await proof.run(lanes: 2) == .intact)
    }

    @Test("a file that cannot be read is an error, not a change")
    func unreadable() async throws {
        let folder = try TemporaryFolder()
        for states in [nil, HashStates()] {
            let proof = FileProof(try folder.open(), try path("a"), size: 1, digest: .ofNothing, states: states)
            #expect(await failureCode { _ = try await proof.run(lanes: 2) } == .io)
        }
    }
}
