import ArgumentParser
import Fxfer
import Testing

@testable import FxferCLI

@Suite("limits on the command line")
struct LimitOptionsTests {
    private static func limits(_ arguments: [String]) throws -> ServerLimits {
        var configuration = ServerConfiguration(directory: [])
        try LimitOptions.parse(arguments).apply(to: &configuration)
        return configuration.limits
    }

    @Test("are the server's own where none is given")
    func defaults() throws {
        let (given, own) = (try Self.limits([]), ServerLimits())
        #expect(given.handshakeTimeout == own.handshakeTimeout)
        #expect(given.idleTimeout == own.idleTimeout)
        #expect(given.minRate == own.minRate)
        #expect(given.maxConnections == own.maxConnections)
        #expect(given.maxConnectionsPerAddress == own.maxConnectionsPerAddress)
        #expect(given.filesInFlight == own.filesInFlight)
        #expect(given.maxFrameSize == own.maxFrameSize)
        #expect(given.storage == own.storage)
    }

    @Test("reach the server")
    func given() throws {
        let limits = try Self.limits([
            "--handshake-timeout", "1", "--idle-timeout", "2m", "--min-rate", "0", "--max-connections", "3",
            "--max-connections-per-address", "4", "--max-files", "5", "--max-frame-size", "8K",
            "--max-file-size", "6K", "--max-total-size", "7M", "--min-free-space", "8G",
        ])
        #expect(limits.handshakeTimeout == .seconds(1))
        #expect(limits.idleTimeout == .seconds(120))
        #expect(limits.minRate == 0)
        #expect(limits.maxConnections == 3)
        #expect(limits.maxConnectionsPerAddress == 4)
        #expect(limits.filesInFlight == 5)
        #expect(limits.maxFrameSize == 8192)
        #expect(limits.storage.maxFileSize == 6 << 10)
        #expect(limits.storage.maxTotalSize == 7 << 20)
        #expect(limits.storage.minFreeSpace == 8 << 30)
    }

    @Test(
        "are refused where they make no sense",
        arguments: [
            ["--handshake-timeout", "0"], ["--idle-timeout", "0"], ["--min-rate", "-1"], ["--min-rate", "fast"],
            ["--max-connections", "0"], ["--max-connections", "-1"], ["--max-connections-per-address", "0"],
            ["--max-files", "0"], ["--max-files", "65536"], ["--max-frame-size", "8191"],
            ["--max-frame-size", "65537"], ["--max-file-size", "x"], ["--max-total-size", ""],
            ["--min-free-space", "1E"],
        ]
    )
    func refused(arguments: [String]) {
        #expect(throws: (any Error).self) { try Self.limits(arguments) }
    }
}
