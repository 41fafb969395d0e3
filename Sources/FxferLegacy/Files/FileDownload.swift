import FxferNetwork
import FxferProtocol
import FxferStorage
import NIOCore

/// The textbook's file client: asks for the one file that a server has, and writes down what comes.
///
/// A bare stream has neither length nor digest, so what is received is never verified. It is written beside its name
/// and takes it at the end of the stream, in one step.
package struct FileDownload: Sendable {
    /// What one read takes: more than the textbook's 1,024 bytes, as a stream has no messages.
    private static let readSize = 256 << 10

    private let endpoint: Endpoint
    private let output: [UInt8]
    private let keepsTrailer: Bool
    private let timeout: Duration

    /// - Parameters:
    ///   - output: the path of the file that is written; an old one is replaced.
    ///   - keepsTrailer: whether the server's thanks are written, too, as the textbook's client does.
    ///   - timeout: how long the server may be silent.
    package init(from endpoint: Endpoint, to output: [UInt8], keepsTrailer: Bool, timeout: Duration) {
        self.endpoint = endpoint
        self.output = output
        self.keepsTrailer = keepsTrailer
        self.timeout = timeout
    }

    /// Receives the file; answers what was written.
    ///
    /// - Throws: `cannotConnect`; `cannotCreate`, `noSpace` and `io` of the output; `damaged` where the stream does not
    ///   end with the thanks; `connectionLost` or `timedOut`. The old file is as it was, then.
    package func run() async throws -> FilePrefix {
        let file = try await OutputFile.create(path: self.output)
        let connection = try await RawConnection.connect(
            to: self.endpoint,
            readSize: Self.readSize,
            timeout: self.timeout
        )
        do {
            try await connection.withMessages { messages in
                try await connection.send(Textbook.fileRequest)
                try await self.receive(messages, from: connection, into: file)
            }
            return try await file.publish()
        } catch {
            await file.discard()
            throw error
        }
    }

    private func receive(
        _ messages: RawConnection.Messages,
        from connection: RawConnection,
        into file: OutputFile
    ) async throws {
        var isEmpty = true
        var splitter = TrailerSplitter(trailer: Textbook.fileTrailer)
        var incoming = messages.makeAsyncIterator()
        while let bytes = try await connection.next(&incoming) {
            isEmpty = isEmpty && bytes.readableBytes == 0
            for piece in splitter.push(bytes) {
                try await file.append(piece)
            }
        }
        let (tail, isTrailer) = splitter.finish()
        guard !isEmpty else {
            throw FxferError(
                .damaged,
                "\(self.endpoint) sent nothing: it lets in its own machine only, or was cut short; nothing was written"
            )
        }
        guard isTrailer else {
            throw FxferError(
                .damaged,
                "the stream from \(self.endpoint) did not end with '\(String(decoding: Textbook.fileTrailer, as: UTF8.self))'"
                    + " and may be cut short; nothing was written"
            )
        }
        if self.keepsTrailer {
            try await file.append(tail)
        }
    }
}
