import FxferNetwork
import FxferProtocol
import NIOCore

/// The textbook's chat pair: two people write in turn, the client first, until one of them sends `windup`.
package enum Chat {
    private static let prompt = ">> "

    /// Chats with one client and ends.
    ///
    /// - Throws: `connectionLost` where the client is gone before one of the two said `windup`.
    package static func serve(_ listener: RawListener, _ console: any Console) async throws {
        try await listener.serveOne { client in
            try await client.withMessages { messages in
                var incoming = messages.makeAsyncIterator()
                var heard: ByteBuffer?
                while let message = try await Self.hear(client, &incoming, after: heard, console) {
                    heard = message
                    let line = await Self.line(console)
                    try await client.send(line)
                    if line == Textbook.farewell {
                        try await client.end(&incoming)
                        return
                    }
                }
            }
            return true
        }
    }

    /// Chats with a server and ends.
    ///
    /// - Throws: `connectionLost` where the server is gone before one of the two said `windup`.
    package static func connect(to endpoint: Endpoint, timeout: Duration, _ console: any Console) async throws {
        let server = try await RawConnection.connect(
            to: endpoint,
            readSize: Textbook.ReadSize.long,
            timeout: timeout
        )
        try await server.withMessages { messages in
            var incoming = messages.makeAsyncIterator()
            while true {
                let line = await Self.line(console)
                try await server.send(line)
                guard let answer = try await Self.hear(server, &incoming, after: nil, console) else { return }
                // Who has sent `windup` goes after the answer; who has read it is alone.
                if line == Textbook.farewell || answer.readableBytesView.elementsEqual(Textbook.farewell) { return }
            }
        }
    }

    /// The user's next line. An empty one would send nothing, so it is asked for again; the end of the input is a
    /// farewell.
    private static func line(_ console: any Console) async -> [UInt8] {
        while let line = await console.ask(Self.prompt) {
            if !line.isEmpty { return line }
        }
        return Textbook.farewell
    }

    /// Shows the partner's next message; nil where the partner has gone after a farewell.
    private static func hear(
        _ partner: RawConnection,
        _ incoming: inout RawConnection.Messages.AsyncIterator,
        after last: ByteBuffer?,
        _ console: any Console
    ) async throws -> ByteBuffer? {
        guard let message = try await partner.next(&incoming) else {
            if last?.readableBytesView.elementsEqual(Textbook.farewell) == true { return nil }
            throw FxferError(.connectionLost, "the chat partner \(partner.peer) is gone")
        }
        await console.show(">>  \(EscapedText.escape(message.readableBytesView))")
        return message
    }
}
