import FxferNetwork
import FxferProtocol
import NIOCore
import Synchronization

/// The textbook's echo pair: a server for any number of clients at once, which come and go as they like.
package enum Echo {
    /// Serves clients until the task is cancelled.
    package static func serve(_ listener: RawListener, _ processID: Int32, _ console: any Console) async throws {
        await console.show("Server My pid is \(processID)")
        let count = Counter()
        try await listener.serveAll { client in
            await console.show("Connected to: \(client.peer)")
            await console.show("Thread Number: \(count.next())")
            do {
                try await client.withMessages { messages in
                    try await Self.repeatAll(client, messages)
                }
            } catch is CancellationError {
                // The server is told to end.
            } catch {
                await console.show("\(client.peer): \(FxferError(wrapping: error).message)")
            }
        }
    }

    private static func repeatAll(_ client: RawConnection, _ messages: RawConnection.Messages) async throws {
        try await client.send(Textbook.echoGreeting)
        var incoming = messages.makeAsyncIterator()
        while let message = try await client.next(&incoming) {
            try await client.send(Textbook.echoPrefix + message.readableBytesView)
        }
    }

    /// Sends the user's lines one by one and shows each answer, until the answer to `windup` or the end of the input.
    package static func connect(
        to endpoint: Endpoint,
        _ processID: Int32,
        timeout: Duration,
        _ console: any Console
    ) async throws {
        let connection = try await RawConnection.connect(
            to: endpoint,
            readSize: Textbook.ReadSize.short,
            timeout: timeout
        )
        await console.show("My pid is \(processID)")
        try await connection.withMessages { messages in
            var incoming = messages.makeAsyncIterator()
            let greeting = try await Self.answer(connection, &incoming)
            await console.show(EscapedText.escape(greeting.readableBytesView))
            while let line = await console.ask("Enter message: ") {
                // Nothing would be sent for an empty line, and no answer would come.
                guard !line.isEmpty else { continue }
                try await connection.send(line)
                let answer = try await Self.answer(connection, &incoming)
                await console.show(EscapedText.escape(answer.readableBytesView))
                if answer.readableBytesView.elementsEqual(Textbook.echoPrefix + Textbook.farewell) { return }
            }
        }
    }

    private static func answer(
        _ connection: RawConnection,
        _ incoming: inout RawConnection.Messages.AsyncIterator
    ) async throws -> ByteBuffer {
        guard let answer = try await connection.next(&incoming) else {
            throw FxferError(.connectionLost, "\(connection.peer) closed the connection")
        }
        return answer
    }

    /// Numbers the clients.
    private final class Counter: Sendable {
        private let value = Atomic(0)

        func next() -> Int {
            self.value.add(1, ordering: .relaxed).newValue
        }
    }
}
