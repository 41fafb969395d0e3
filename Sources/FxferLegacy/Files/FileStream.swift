import FxferProtocol
import FxferStorage
import NIOCore

/// What the textbook's file server sends: the file raw, without name, length or digest, and then its thanks.
package struct FileStream: Sendable {
    /// How much is read and written at a time; what waits for a slow reader is at most this much.
    private static let pieceSize: UInt64 = 256 << 10

    private let path: [UInt8]

    /// Names the file; it is opened anew for each client.
    package init(path: [UInt8]) {
        self.path = path
    }

    /// What was sent, the thanks not counted. Nobody has confirmed it.
    package struct Summary: Sendable {
        package let size: UInt64
        package let digest: Digest
    }

    /// Makes sure, on this thread, that the file can be read.
    ///
    /// - Throws: `noInput` where it does not exist, cannot be read, or is no regular file.
    package func check() throws {
        try SourceFile.check(path: self.path)
    }

    /// Sends the file and the thanks. A reader that is slow slows the reading of the file.
    ///
    /// - Parameter timeout: how long the client may take to read each piece.
    /// - Throws: what ``check()`` throws, `sourceChanged` where the file becomes shorter meanwhile, and errors of the
    ///   channel.
    package func send(to channel: any Channel, timeout: Duration) async throws -> Summary {
        let source = try await SourceFile.open(path: self.path)
        var sent = FilePrefix.empty
        while sent.length < source.size {
            let count = Int(min(source.size - sent.length, Self.pieceSize))
            let piece = try await source.read(at: sent.length, count: count)
            sent = FilePrefix(length: sent.length + UInt64(count), digest: piece.digest)
            source.confirm(sent.length)
            try await channel.write(piece.bytes, within: timeout)
        }
        try await channel.write(ByteBuffer(bytes: Textbook.fileTrailer), within: timeout)
        return Summary(size: sent.length, digest: sent.digest)
    }
}
