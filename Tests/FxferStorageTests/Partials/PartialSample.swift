import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

/// A file that tests send in chunks, and of which they leave parts behind.
enum PartialSample {
    static let chunk = 100_000
    static let size = 1_250_000
    static let content = testBytes(size)
    static let attributes = FileAttributes(
        size: UInt64(size),
        modified: FileTime(seconds: 1_000_000_000, nanoseconds: 5),
        permissions: 0o640
    )
    static let name = PartialName(for: path, prefix: [])
    static let part = ".fxfer/partials/" + String(decoding: name.content.bytes, as: UTF8.self)
    static let journal = ".fxfer/partials/" + String(decoding: name.journal?.bytes ?? [], as: UTF8.self)
    /// Bytes of the journal's header.
    static let headerSize = 75 + path.bytes.count

    static var path: RelativePath {
        guard let path = try? RelativePath(bytes: Array("a/b".utf8)) else { preconditionFailure("a good path") }
        return path
    }
}

extension StoreUnderTest {
    func begin(_ path: RelativePath = PartialSample.path) async throws -> Staging<Subject.Staged> {
        try await self.store.stage(path, PartialSample.attributes, .byDigest)
    }

    /// Stages the sample where nothing is left of it.
    func beginFresh(_ path: RelativePath = PartialSample.path) async throws -> Subject.Staged {
        guard case .fresh(let file) = try await self.begin(path) else { throw UnexpectedStaging() }
        return file
    }

    /// Stages the sample where a good part is left of it.
    func resume(_ path: RelativePath = PartialSample.path) async throws -> Subject.Staged {
        guard case .partial(let file) = try await self.begin(path) else { throw UnexpectedStaging() }
        #expect(file.runningDigest() == sha256(PartialSample.content[..<Int(file.position)]))
        return file
    }

    /// Appends the sample from the file's position on, and keeps each chunk.
    func send(upTo end: Int = PartialSample.size, to file: Subject.Staged) async throws {
        while file.position < end {
            let start = Int(file.position)
            let next = min(end, start + PartialSample.chunk)
            try await file.append(ByteBuffer(bytes: PartialSample.content[start..<next]))
            file.keep()
        }
    }

    /// Sends the sample up to `end`, and leaves it there.
    func leave(upTo end: Int, of path: RelativePath = PartialSample.path) async throws {
        let file = try await self.beginFresh(path)
        try await self.send(upTo: end, to: file)
        await file.discard(keepingPartial: true)
    }

    /// Resumes at `offset` and publishes the whole sample.
    func expectResumption(at offset: Int) async throws {
        #expect(try await self.published() == [])
        let file = try await self.resume()
        #expect(file.position == UInt64(offset))
        try await self.send(to: file)
        #expect(try await file.publish().outcome == .stored)
        #expect(try await self.content(at: PartialSample.path) == PartialSample.content)
        #expect(try await self.stagedCount() == 0)
    }

    /// Begins at 0, as nothing is left that is of use, and publishes the whole sample.
    func expectNewBeginning() async throws {
        #expect(try await self.published() == [])
        let file = try await self.beginFresh()
        #expect(file.position == 0)
        #expect(file.runningDigest() == .ofNothing)
        try await self.send(to: file)
        #expect(try await file.publish().outcome == .stored)
        #expect(try await self.content(at: PartialSample.path) == PartialSample.content)
    }
}

extension DirectoryUnderTest {
    /// Everything in the folder of partials.
    func partialFiles() throws -> [String] {
        try self.folder.names(in: ".fxfer/partials").map { ".fxfer/partials/" + $0 }
    }

    /// What a SIGKILL now would leave, in a directory of its own: neither locks nor destructors live on.
    func killed() throws -> TemporaryFolder {
        let copy = try TemporaryFolder()
        try copy.makeFolder(".fxfer")
        try copy.makeFolder(".fxfer/partials")
        for name in try self.partialFiles() { try copy.write(self.folder.bytes(of: name), to: name) }
        return copy
    }
}

extension TemporaryFolder {
    /// Changes one byte of a file.
    func flip(at offset: Int, in name: String) throws {
        var bytes = try self.bytes(of: name)
        bytes[offset] ^= 0x10
        try self.overwrite(bytes, in: name)
    }

    func cut(_ name: String, to size: Int) throws {
        try OwnedDescriptor.open(CPath(self(name)), O_WRONLY | O_NOFOLLOW).truncate(to: UInt64(size))
    }

    /// Has a file look as if it had been written `seconds` ago.
    func age(_ name: String, by seconds: Int64) throws {
        let file = try OwnedDescriptor.open(CPath(self(name)), O_WRONLY | O_NOFOLLOW)
        let now = FileTime.now()
        try file.setModified(FileTime(seconds: now.seconds - seconds, nanoseconds: now.nanoseconds))
    }
}
