import FxferProtocol
import Glibc
import Testing

@testable import FxferStorage

@Suite("A stream as a source")
struct SourceStreamTests {
    /// Both ends of a pipe.
    final class Pipe: Sendable {
        let input: CInt
        private let output: CInt

        init() throws {
            var ends: [CInt] = [-1, -1]
            try once { Glibc.pipe(&ends) }
            self.input = ends[0]
            self.output = ends[1]
        }

        deinit {
            close(self.input)
            close(self.output)
        }

        func write(_ bytes: some Sequence<UInt8>) throws {
            let bytes = Array(bytes)
            let count = try retrying { Glibc.write(self.output, bytes, bytes.count) }
            #expect(count == bytes.count)
        }

        /// Puts the null device in the place of the writing end, which ends the pipe.
        func end() throws {
            let null = try OwnedDescriptor.open(CPath("/dev/null"), O_WRONLY)
            try once { dup2(null.number, self.output) }
        }
    }

    private let pipe: Pipe
    private let stream: SourceStream

    init() throws {
        self.pipe = try Pipe()
        self.stream = SourceStream(descriptor: self.pipe.input, name: "the pipe")
    }

    @Test("short writes are gathered to whole chunks, the last one is shorter, and none follows it")
    func gathering() async throws {
        let bytes = testBytes(10_000)
        async let first = self.stream.read(at: 0, count: 8000)
        for start in stride(from: 0, to: 10_000, by: 1000) {
            try self.pipe.write(bytes[start..<start + 1000])
        }
        try self.pipe.end()
        #expect(try await Array(first.bytes.readableBytesView) == Array(bytes[..<8000]))
        #expect(try await first.digest == sha256(bytes[..<8000]))
        let second = try await self.stream.read(at: 8000, count: 8000)
        #expect(Array(second.bytes.readableBytesView) == Array(bytes[8000...]))
        #expect(second.digest == sha256(bytes))
        let third = try await self.stream.read(at: 10_000, count: 8000)
        #expect(third.bytes.readableBytes == 0)
        #expect(third.digest == sha256(bytes))
    }

    @Test("an empty stream is its first chunk")
    func empty() async throws {
        try self.pipe.end()
        let chunk = try await self.stream.read(at: 0, count: 100)
        #expect(chunk.bytes.readableBytes == 0)
        #expect(chunk.digest == .ofNothing)
        #expect(self.stream.attributes == FileAttributes())
    }

    @Test("after a rewind the same chunks come again, then the rest of the stream")
    func rewind() async throws {
        let bytes = testBytes(4000)
        try self.pipe.write(bytes)
        let chunks = [
            try await self.stream.read(at: 0, count: 1000), try await self.stream.read(at: 1000, count: 500),
            try await self.stream.read(at: 1500, count: 1500),
        ]
        self.stream.confirm(1200)
        try self.stream.rewind(to: 1000)
        let again = [
            try await self.stream.read(at: 1000, count: 1000), try await self.stream.read(at: 1500, count: 1),
        ]
        #expect(again.map(\.bytes) == chunks[1...].map(\.bytes))
        #expect(again.map(\.digest) == chunks[1...].map(\.digest))
        #expect(try await self.stream.read(at: 3000, count: 1000).digest == sha256(bytes))
    }

    @Test("a confirmed place, and one that is no chunk's end, cannot be gone back to", arguments: [0, 500, 1001, 3000])
    func unknownPlace(offset: UInt64) async throws {
        try self.pipe.write(testBytes(3000))
        _ = try await self.stream.read(at: 0, count: 1000)
        _ = try await self.stream.read(at: 1000, count: 1000)
        self.stream.confirm(1000)
        #expect(await failureCode { try self.stream.rewind(to: offset) } == .internal)
        #expect(await failureCode { _ = try self.stream.hashPrefix(offset) } == .internal)
        #expect(try await self.stream.read(at: 2000, count: 1000).digest == sha256(testBytes(3000)))
    }

    @Test("it can be restarted until a part is confirmed")
    func restart() async throws {
        try self.pipe.write(testBytes(1000))
        try self.stream.restart()
        #expect(try self.stream.hashPrefix(0) == .ofNothing)
        let chunk = try await self.stream.read(at: 0, count: 1000)
        try self.stream.restart()
        #expect(try await self.stream.read(at: 0, count: 1000).bytes == chunk.bytes)
        #expect(try self.stream.hashPrefix(1000) == chunk.digest)
        self.stream.confirm(1000)
        #expect(await failureCode { try self.stream.restart() } == .internal)
    }

    @Test("a task that waits for input ends when it is cancelled, and what had come is not lost")
    func cancellation() async throws {
        try self.pipe.write(testBytes(1000).prefix(300))
        let task = Task { try await self.stream.read(at: 0, count: 1000) }
        // Wait until the task has taken what is there: then it waits for the rest.
        var unread: CInt = 1
        while unread > 0 {
            try once { ioctl(self.pipe.input, UInt(FIONREAD), &unread) }
            await Task.yield()
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try self.pipe.write(testBytes(1000).dropFirst(300))
        let chunk = try await self.stream.read(at: 0, count: 1000)
        #expect(chunk.digest == sha256(testBytes(1000)))
    }

    @Test("a regular file can be fed in, too")
    func file() async throws {
        let folder = try TemporaryFolder()
        try folder.write(testBytes(1000), to: "x")
        let file = try OwnedDescriptor.open(CPath(folder("x")), O_RDONLY)
        let stream = SourceStream(descriptor: file.number, name: "x")
        #expect(try await stream.read(at: 0, count: 2000).digest == sha256(testBytes(1000)))
    }

    @Test("what cannot be read is an error of the call, and another offset than the last end one of the caller")
    func failures() async throws {
        let folder = try OwnedDescriptor.open(CPath("/"), O_RDONLY)
        let stream = SourceStream(descriptor: folder.number, name: "a folder")
        #expect(await failureCode { _ = try await stream.read(at: 0, count: 1) } == .io)
        #expect(await failureCode { _ = try await stream.read(at: 1, count: 1) } == .internal)
    }

    @Test("nothing of it is skipped, and nothing is lost by the attempt")
    func skip() async throws {
        try self.pipe.write(testBytes(100))
        try self.pipe.end()
        #expect(await failureCode { try self.stream.skip(to: 10) } == .internal)
        #expect(try await self.stream.read(at: 0, count: 100).digest == sha256(testBytes(100)))
    }
}
