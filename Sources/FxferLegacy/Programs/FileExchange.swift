import FxferProtocol
import NIOCore

/// The textbook's file server as a program of its own: sends one file to one client and ends. (Its client is
/// ``FileDownload``.)
package enum FileExchange {
    /// Waits for a client that says what the textbook's client says, and sends it the file and the thanks.
    ///
    /// A client that says something else gets an answer and no file; the server goes on waiting.
    package static func serve(_ stream: FileStream, _ listener: RawListener, _ console: any Console) async throws {
        try stream.check()
        try await listener.serveOne { client in
            do {
                return try await client.withMessages { messages in
                    try await Self.serve(stream, client, messages, console)
                }
            } catch let error as FxferError where error.code == .connectionLost || error.code == .timedOut {
                await console.show("\(client.peer): \(error.message)")
                return false
            }
        }
    }

    private static func serve(
        _ stream: FileStream,
        _ client: RawConnection,
        _ messages: RawConnection.Messages,
        _ console: any Console
    ) async throws -> Bool {
        var incoming = messages.makeAsyncIterator()
        guard let request = try await client.next(&incoming) else { return false }
        await console.show(EscapedText.escape(request.readableBytesView))
        guard request.readableBytesView.elementsEqual(Textbook.fileRequest) else {
            try await client.send(Self.refusal)
            try await client.end(&incoming)
            return false
        }
        let summary = try await client.send(stream)
        try await client.end(&incoming)
        await console.show("sent \(summary.size) bytes to \(client.peer), unverified, sha256 \(summary.digest)")
        return true
    }

    private static let refusal = Array("fxfer: say 'Client connected' first\r\n".utf8)
}
