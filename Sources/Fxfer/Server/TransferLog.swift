import FxferProtocol
import FxferStorage
import Logging
import NIOCore

/// One line a transfer, for one connection. Names are escaped, so that a line stays a line.
struct TransferLog: Sendable {
    private var logger: Logger

    init(logger: Logger, peer: SocketAddress?) {
        var logger = logger
        logger[metadataKey: "peer"] = .string(peer.map { Endpoint($0).description } ?? "unknown")
        self.logger = logger
    }

    /// The client has proven that it has the token of that name.
    mutating func name(token: String) {
        self.logger[metadataKey: "token"] = .string(token)
    }

    /// A file got its receipt.
    func stored(
        _ path: RelativePath,
        _ content: FilePrefix,
        _ outcome: Publication.Outcome,
        resumedAt offset: UInt64,
        repairedChunks: UInt32?,
        since began: NIODeadline
    ) {
        guard self.logger.logLevel <= .info else { return }
        // Only what travelled has a speed, and of a repaired file that was a part.
        let hasMoved = outcome != .identical && outcome != .repaired
        let moved = hasMoved ? content.length - min(offset, content.length) : 0
        var metadata = Self.metadata(path, content, moved: moved, since: began)
        metadata["outcome"] =
            switch outcome {
            case .stored: "stored"
            case .identical: "identical"
            case .replaced: "replaced"
            case .repaired: "repaired"
            }
        if let repairedChunks { metadata["repaired-chunks"] = "\(repairedChunks)" }
        if offset > 0 { metadata["resumed-at"] = "\(offset)" }
        self.logger.info("stored", metadata: metadata)
    }

    /// The receipt of a stored file could not be signed.
    func notSigned(_ name: String, _ error: FxferError) {
        self.logger.error("receipt not signed", metadata: ["name": .string(name), "reason": .string(error.message)])
    }

    /// A folder is there as its sender has it.
    func madeFolder(_ path: RelativePath) {
        self.logger.debug("folder made", metadata: ["name": .string(path.description)])
    }

    /// A file was there with the offered size and time, and was not read.
    func same(_ path: RelativePath) {
        self.logger.debug("unchanged", metadata: ["name": .string(path.description)])
    }

    /// A client has a file: verified, and durable on its disk.
    func given(_ path: RelativePath, _ content: FilePrefix, since began: NIODeadline) {
        guard self.logger.logLevel <= .info else { return }
        self.logger.info("given", metadata: Self.metadata(path, content, moved: content.length, since: began))
    }

    /// A client does not have what it asked for.
    func notGiven(_ name: String, _ error: FxferError) {
        self.logger.warning(
            "not given",
            metadata: [
                "name": .string(name),
                "outcome": .string(error.code.rawValue),
                "reason": .string(error.message),
            ]
        )
    }

    /// - Parameter moved: how many of its bytes came or went over the connection.
    private static func metadata(
        _ path: RelativePath,
        _ content: FilePrefix,
        moved: UInt64,
        since began: NIODeadline
    ) -> Logger.Metadata {
        let seconds = Self.seconds(since: began)
        var metadata: Logger.Metadata = [
            "name": .string(path.description),
            "bytes": "\(content.length)",
            "seconds": .string(Self.fixed(seconds, digits: 3)),
            "sha256": .string(content.digest.hex),
        ]
        if moved > 0 {
            metadata["MB/s"] = .string(Self.fixed(Double(moved) / 1e6 / max(seconds, 1e-6), digits: 1))
        }
        return metadata
    }

    /// A file that was accepted was not stored, after that many bytes.
    func failed(_ path: RelativePath, after bytes: UInt64, _ error: FxferError, since began: NIODeadline) {
        self.logger.warning(
            "not stored",
            metadata: [
                "name": .string(path.description),
                "bytes": "\(bytes)",
                "seconds": .string(Self.fixed(Self.seconds(since: began), digits: 3)),
                "outcome": .string(error.code.rawValue),
                "reason": .string(error.message),
            ]
        )
    }

    /// A file was not accepted.
    func refused(_ name: String, _ error: FxferError) {
        self.logger.warning(
            "refused",
            metadata: [
                "name": .string(name),
                "outcome": .string(error.code.rawValue),
                "reason": .string(error.message),
            ]
        )
    }

    /// A chunk arrived damaged and is asked for again.
    func damaged(_ path: RelativePath, at offset: UInt64) {
        self.logger.notice(
            "damaged on the way, asked for again",
            metadata: ["name": .string(path.description), "offset": "\(offset)"]
        )
    }

    /// The client broke a rule, or the server ended the connection.
    ///
    /// - Parameter level: nil for a warning; what is part of a shutdown is none.
    func connectionFailed(_ error: FxferError, level: Logger.Level? = nil) {
        self.logger.log(
            level: level ?? (error.code == .shuttingDown ? .debug : .warning),
            "connection ended",
            metadata: ["outcome": .string(error.code.rawValue), "reason": .string(error.message)]
        )
    }

    /// The network ended the connection.
    func connectionLost(_ error: any Error) {
        self.logger.debug("connection lost", metadata: ["reason": .string(EscapedText.escape("\(error)"))])
    }

    private static func seconds(since began: NIODeadline) -> Double {
        Double((NIODeadline.now() - began).nanoseconds) / 1e9
    }

    /// A number of at least zero with that many digits behind the point.
    private static func fixed(_ value: Double, digits: Int) -> String {
        let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        let units = UInt64(min((value * scale).rounded(), 1e18))
        let fraction = String(units % UInt64(scale))
        return "\(units / UInt64(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}
