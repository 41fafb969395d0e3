import Fxfer
import FxferLegacy
import FxferProtocol
import Logging
import NIOCore

/// The textbook's file server on the port of `fxfer serve`.
enum LegacyGuest {
    /// Makes sure that the file can be read, and sends it to each client that says what the textbook's client says.
    ///
    /// - Parameters:
    ///   - timeout: how long a client may take to read each piece.
    ///   - onServed: called after each client that has taken the whole file.
    static func make(
        file: [UInt8],
        timeout: Duration,
        logger: Logger,
        onServed: @escaping @Sendable () -> Void
    ) throws -> GuestProtocol {
        let stream = FileStream(path: file)
        try stream.check()
        return GuestProtocol(opening: Textbook.fileRequest) { channel in
            let peer = channel.remoteAddress.map { Endpoint($0).description } ?? "unknown"
            let summary: FileStream.Summary
            do {
                summary = try await stream.send(to: channel, timeout: timeout)
            } catch {
                logger.warning(
                    "not sent to a textbook client",
                    metadata: ["peer": .string(peer), "reason": .string(EscapedText.escape("\(error)"))]
                )
                throw error
            }
            logger.info(
                "sent to a textbook client",
                metadata: [
                    "peer": .string(peer),
                    "name": .string(EscapedText.escape(file)),
                    "bytes": "\(summary.size)",
                    "sha256": .string(summary.digest.hex),
                    "outcome": "unverified",
                ]
            )
            onServed()
        }
    }
}
