import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

/// A file that was stored, of which tests let bytes decay: three steps of its hash and a bit.
enum DecaySample {
    static let step = 1 << 20
    static let size = 3 * step + 77
    static let content = testBytes(size)
    static let attributes = FileAttributes(
        size: UInt64(size),
        modified: FileTime(seconds: 1_234_567_890, nanoseconds: 7),
        permissions: 0o640
    )

    /// The content with these bytes inverted.
    static func damaged(at places: [Int], _ content: [UInt8] = content) -> [UInt8] {
        var bytes = content
        for place in places { bytes[place] ^= 0xFF }
        return bytes
    }
}

/// What a store says of a file that it has.
struct Offered<File: StagedFile> {
    let existing: ExistingFile
    let otherwise: File?
    let decayed: DecayedFile<File>?
}

extension Store {
    /// Offers a file that the store has under that name, with that size.
    func offered(_ name: String, _ attributes: FileAttributes) async throws -> Offered<Staged> {
        guard
            case .existing(let existing, let otherwise, let decayed) = try await self.stage(
                path(name),
                attributes,
                .byDigest
            )
        else { throw UnexpectedStaging() }
        return Offered(existing: existing, otherwise: otherwise, decayed: decayed)
    }

    /// Prepares to repair the sample.
    func beginRepair(_ name: String = "a") async throws -> Staged {
        let decayed = try await self.offered(name, DecaySample.attributes).decayed
        return try await #require(decayed).stageRepair()
    }
}

extension StagedFile {
    /// Takes the parts from the sample and all else from what is repaired, as a receiver does.
    func repair(_ parts: [Range<Int>], of content: [UInt8] = DecaySample.content) async throws {
        for part in parts {
            try await self.fill(upTo: UInt64(part.lowerBound))
            try await self.append(ByteBuffer(bytes: content[part]))
            #expect(self.runningDigest() == sha256(content[..<part.upperBound]))
            self.keep()
        }
        try await self.fill(upTo: UInt64(content.count))
    }
}

extension DirectoryUnderTest {
    /// Stores the sample, and lets these bytes of it decay.
    func storeDecayed(_ name: String = "a", at places: [Int]) async throws {
        let file = try await self.staged(DecaySample.content, path(name), DecaySample.attributes, in: .disk)
        #expect(try await file.publish().outcome == .stored)
        try self.decay(name, at: places)
    }

    /// Inverts bytes, and sets the time back: as far as can be seen, nobody has written to the file.
    func decay(_ name: String = "a", at places: [Int]) throws {
        let file = try self.folder.open().openBeneath(CPath(name), O_RDWR)
        let modified = try file.status().stamp.modified
        let content = try file.content()
        for place in places {
            try [content[place] ^ 0xFF].withUnsafeBytes { try file.write($0, at: UInt64(place)) }
        }
        try file.setModified(modified)
    }
}
