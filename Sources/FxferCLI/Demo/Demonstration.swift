import Fxfer
import FxferProtocol
import Logging
import NIOCore

/// Both ends in one process, over a real loopback socket.
struct Demonstration {
    private let received: String
    private let sources: [[UInt8]]

    /// - Parameters:
    ///   - sources: the paths of the files to send.
    ///   - received: the path of the directory that receives them.
    init(sources: [[UInt8]], received: String) {
        self.sources = sources
        self.received = received
    }

    /// Sends the sources and computes the stored files' digests anew; answers the exit status.
    func run() async throws -> Int32 {
        let sources = self.sources.map { Upload.Source.path($0) }
        let check = await SourceCheck(of: sources)
        if let error = check.errors.first {
            throw error
        }
        guard let total = check.totalSize else {
            throw FxferError(.usage, "the demonstration sends files, not folders")
        }
        let uploads = try UploadPlan.uploads(of: sources, into: nil)
        var configuration = ServerConfiguration(directory: Array(self.received.utf8))
        configuration.address = "127.0.0.1"
        configuration.port = 0
        let (ports, bound) = AsyncStream<Int>.makeStream()
        let server = FileServer(
            configuration: configuration,
            logger: Logger(label: "fxfer") { _ in SwiftLogNoOpLogHandler() },
            onListening: { bound.yield($0.port ?? 0) }
        )
        return try await withThrowingTaskGroup { group in
            group.addTask {
                defer { bound.finish() }
                try await server.run()
            }
            var status: Int32 = 70
            for await port in ports.prefix(1) {
                let endpoint = Endpoint(host: "127.0.0.1", port: port)
                Self.say("receiving on \(endpoint) into \(EscapedText.escape(self.received))")
                status = try await self.send(uploads, total, to: endpoint)
            }
            group.cancelAll()
            try await group.waitForAll()
            return status
        }
    }

    private func send(_ uploads: [Upload], _ total: UInt64, to endpoint: Endpoint) async throws -> Int32 {
        let reporting = TransferReporter.Reporting(style: .checksums, isQuiet: false, sumsUp: false)
        let reporter = TransferReporter(reporting, count: uploads.count, total: total)
        let clock = ContinuousClock()
        let elapsed = try await clock.measure {
            try await FileClient(endpoint).send(uploads, report: reporter.report)
        }
        let status = reporter.finish()
        guard status == 0 else { return status }
        let rate = HumanText.rate(total, in: elapsed)
        Self.say("\(HumanText.size(total)) at \(rate): verified, durable, published in one step")
        for destination in uploads.compactMap(\.destination) {
            let stored = try await LocalFile(path: Array("\(self.received)/".utf8) + destination.bytes)
            let digest = try await stored.digest()
            Self.say("'\(destination)' read again from the receiver's directory: \(digest)")
        }
        return 0
    }

    private static func say(_ text: String) {
        StandardStream.output.write(line: text)
    }
}
