import FxferNetwork
import FxferProtocol
import Glibc
import NIOCore

/// The textbook's greeting pair: the server greets one client and ends.
package enum Greeting {
    /// Greets one client.
    ///
    /// - Throws: `connectionLost` where that client broke off.
    package static func serve(_ listener: RawListener, _ console: any Console) async throws {
        await console.show(Self.hostName())
        try await listener.serveOne { client in
            await console.show("Got connection from \(client.peer)")
            try await client.withMessages { messages in
                try await client.send(Textbook.greeting)
                var incoming = messages.makeAsyncIterator()
                try await client.end(&incoming)
            }
            return true
        }
    }

    /// Connects, shows the greeting, and ends.
    package static func connect(to endpoint: Endpoint, timeout: Duration, _ console: any Console) async throws {
        let connection = try await RawConnection.connect(
            to: endpoint,
            readSize: Textbook.ReadSize.short,
            timeout: timeout
        )
        let greeting = try await connection.withMessages { messages in
            var incoming = messages.makeAsyncIterator()
            return try await connection.next(&incoming)
        }
        guard let greeting else {
            throw FxferError(.connectionLost, "\(endpoint) closed the connection without a greeting")
        }
        await console.show("data is  \(EscapedText.escape(greeting.readableBytesView))")
    }

    private static func hostName() -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            buffer.initialize(repeating: 0)
            guard let start = buffer.baseAddress, gethostname(start, buffer.count - 1) == 0 else {
                return "unknown host"
            }
            return EscapedText.escape(String(cString: start))
        }
    }
}
