import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("Files that go to a pipe")
struct PipeStoreTests {
    /// A store that writes to a pipe of its own, and what has come out of it so far.
    private final class Subject: Sendable {
        let store: PipeStore
        private let reader: CInt
        private let writer: CInt

        init() throws {
            var ends: [CInt] = [0, 0]
            try once { pipe(&ends) }
            for end in ends {
                try once { fcntl(end, F_SETFL, O_NONBLOCK) }
                try once { fcntl(end, F_SETFD, FD_CLOEXEC) }
            }
            (self.reader, self.writer) = (ends[0], ends[1])
            self.store = PipeStore(descriptor: ends[1], name: "the pipe")
        }

        deinit {
            close(self.reader)
            close(self.writer)
        }

        /// What was written since the last call.
        func output() -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = read(self.reader, &bytes, bytes.count)
            return Array(bytes.prefix(max(count, 0)))
        }

        func closeReader() {
            // Another description takes its place, so that `deinit` closes nothing of others.
            let other = open("/dev/null", O_RDONLY | O_CLOEXEC)
            dup2(other, self.reader)
            close(other)
        }

        func fresh(_ name: String = "a", size: UInt64 = 100) async throws -> PipeFile {
            let staging = try await self.store.stage(path(name), FileAttributes(size: size), .byDigest)
            guard case .fresh(let file) = staging else { throw UnexpectedStaging() }
            return file
        }

        func partial(_ name: String = "a", size: UInt64 = 100) async throws -> PipeFile {
            let staging = try await self.store.stage(path(name), FileAttributes(size: size), .byDigest)
            guard case .partial(let file) = staging else { throw UnexpectedStaging() }
            return file
        }
    }

    private static func append(_ bytes: [UInt8], to file: PipeFile) async throws {
        try await file.append(ByteBuffer(bytes: bytes))
    }

    @Test("only what is verified is written")
    func verifiedOnly() async throws {
        let subject = try Subject()
        let file = try await subject.fresh()
        try await Self.append([1, 2], to: file)
        try await Self.append([3], to: file)
        #expect(subject.output() == [])
        file.keep()
        try await Self.append([4, 5], to: file)
        #expect(subject.output() == [1, 2, 3])
        #expect(file.position == 5)
        #expect(file.runningDigest() == sha256([1, 2, 3, 4, 5]))
        file.keep()
        let expected = Publication(.stored, at: try path("a"))
        #expect(try await file.publish() == expected)
        #expect(subject.output() == [4, 5])
    }

    @Test("a damaged part is taken back and never written")
    func rewind() async throws {
        let subject = try Subject()
        let file = try await subject.fresh()
        try await Self.append([1, 2], to: file)
        file.keep()
        try await Self.append([9, 9], to: file)
        file.rewind()
        #expect(file.position == 2)
        #expect(file.runningDigest() == sha256([1, 2]))
        try await Self.append([3], to: file)
        file.keep()
        _ = try await file.publish()
        #expect(subject.output() == [1, 2, 3])
    }

    @Test("bytes are taken without a file call as long as nothing is to be written")
    func inMemory() async throws {
        let subject = try Subject()
        let file = try await subject.fresh()
        #expect(file.appendInMemory(ByteBuffer(bytes: [1])))
        #expect(file.appendInMemory(ByteBuffer(bytes: [2])))
        file.keep()
        #expect(!file.appendInMemory(ByteBuffer(bytes: [3])))
        #expect(file.position == 2)
        #expect(subject.output() == [])
        try await Self.append([3], to: file)
        #expect(file.appendInMemory(ByteBuffer(bytes: [4])))
        file.keep()
        _ = try await file.publish()
        #expect(subject.output() == [1, 2, 3, 4])
    }

    @Test("as long as nothing is written a file can start again")
    func restartInTime() async throws {
        let subject = try Subject()
        let file = try await subject.fresh()
        try await Self.append([1, 2], to: file)
        file.keep()
        file.restart()
        #expect(file.position == 0)
        #expect(file.runningDigest() == .ofNothing)
        try await Self.append([3], to: file)
        file.keep()
        _ = try await file.publish()
        #expect(subject.output() == [3])
    }

    @Test("what is written stays written: a file that was changed meanwhile fails")
    func restartTooLate() async throws {
        let subject = try Subject()
        let file = try await subject.fresh()
        try await Self.append([1, 2], to: file)
        file.keep()
        try await Self.append([3], to: file)
        file.restart()
        #expect(!file.appendInMemory(ByteBuffer(bytes: [4])))
        #expect(await failureCode { try await Self.append([4], to: file) } == .sourceChanged)
        #expect(await failureCode { _ = try await file.publish() } == .sourceChanged)
        #expect(subject.output() == [1, 2])
    }

    @Test("a file whose connection broke goes on where it was verified")
    func resume() async throws {
        let subject = try Subject()
        let file = try await subject.fresh()
        for bytes in [[1, 2], [3]] as [[UInt8]] {
            try await Self.append(bytes, to: file)
            file.keep()
        }
        try await Self.append([9], to: file)
        await file.discard(keepingPartial: true)
        #expect(subject.output() == [1, 2, 3])
        let again = try await subject.partial()
        #expect(again.position == 3)
        #expect(again.runningDigest() == sha256([1, 2, 3]))
        try await Self.append([4], to: again)
        again.keep()
        _ = try await again.publish()
        #expect(subject.output() == [4])
    }

    @Test(
        "a file whose beginning was written is not begun again, where it cannot be gone on with",
        arguments: [false, true]
    )
    func cannotResume(hasShrunk: Bool) async throws {
        let subject = try Subject()
        let file = try await subject.fresh()
        try await Self.append([1, 2], to: file)
        file.keep()
        try await Self.append([3], to: file)
        await file.discard(keepingPartial: true)
        let attributes = FileAttributes(size: hasShrunk ? 1 : 100)
        let code = await failureCode {
            _ = try await subject.store.stage(path("a"), attributes, hasShrunk ? .byDigest : .afterwards)
        }
        #expect(code == .sourceChanged)
        #expect(subject.output() == [1, 2])
    }

    @Test("a file of which nothing was written is begun again", arguments: [Comparison.byDigest, .afterwards])
    func nothingWritten(comparison: Comparison) async throws {
        let subject = try Subject()
        let file = try await subject.fresh()
        #expect(file.appendInMemory(ByteBuffer(bytes: [1, 2])))
        file.keep()
        await file.discard(keepingPartial: true)
        let again: PipeFile
        switch try await subject.store.stage(path("a"), FileAttributes(size: 2), comparison) {
        case .fresh(let file):
            again = file
            try await Self.append([1, 2], to: file)
            file.keep()
        case .partial(let file):
            again = file
        default:
            throw UnexpectedStaging()
        }
        _ = try await again.publish()
        #expect(subject.output() == [1, 2])
    }

    @Test("files follow each other, one that is asked for twice, too", arguments: ["b", "a"])
    func next(second: String) async throws {
        let subject = try Subject()
        for name in ["a", second] {
            let file = try await subject.fresh(name, size: 2)
            try await Self.append([1, 2], to: file)
            file.keep()
            _ = try await file.publish()
        }
        #expect(subject.output() == [1, 2, 1, 2])
    }

    @Test("a reader that has gone is told, and nothing is stored")
    func noReader() async throws {
        signal(SIGPIPE, SIG_IGN)
        let subject = try Subject()
        let file = try await subject.fresh()
        try await Self.append([1], to: file)
        file.keep()
        subject.closeReader()
        #expect(await failureCode { try await Self.append([2], to: file) } == .io)
        #expect(await failureCode { _ = try await file.publish() } == .io)
    }

    @Test("a reader that pauses is waited for")
    func slowReader() async throws {
        let subject = try Subject()
        let bytes = testBytes(300_000)
        let file = try await subject.fresh(size: 300_000)
        try await Self.append(bytes, to: file)
        file.keep()
        async let publication = file.publish()
        var output: [UInt8] = []
        while output.count < bytes.count {
            output += subject.output()
            await Task.yield()
        }
        _ = try await publication
        #expect(output == bytes)
    }
}
