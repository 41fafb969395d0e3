import FxferProtocol
import MetricsTestKit
import NIOCore
import Testing

@testable import Fxfer

@Suite("What a server counts")
struct ServerMetricsTests {
    private let backend = TestMetrics()
    private let metrics: ServerMetrics

    init() {
        self.metrics = ServerMetrics(factory: self.backend)
    }

    @Test("is there from the start, in all its dimensions")
    func start() {
        let labels = Set((self.backend.counters.map(\.label) + self.backend.meters.map(\.label)))
        let timers = Set(self.backend.timers.map(\.label))
        #expect(labels.union(timers) == Set(ServerMetric.allCases.map(\.rawValue)))
        #expect(timers == Set(ServerMetric.allCases.filter { !$0.buckets.isEmpty }.map(\.rawValue)))
        #expect(self.backend.counters(label: ServerMetric.files.rawValue).count == 14)
        #expect(self.backend.counters(label: ServerMetric.corruptChunks.rawValue).count == 6)
        let reasons = self.backend.counters(label: ServerMetric.refused.rawValue).count
        #expect(reasons == FxferError.Code.allCases.count)
    }

    @Test("is told apart by direction and outcome")
    func files() throws {
        self.metrics.ended(.sent, .identical)
        let dimensions = [("direction", "sent"), ("outcome", "identical")]
        #expect(try self.backend.expectCounter("fxfer_files_total", dimensions).totalValue == 1)
        #expect(self.backend.counterTotal(label: "fxfer_files_total") == 1)
    }

    @Test("is told apart by the error's code", arguments: FxferError.Code.allCases)
    func refused(code: FxferError.Code) throws {
        self.metrics.refused(code)
        let counter = try self.backend.expectCounter("fxfer_refused_total", [("reason", code.rawValue)])
        #expect(counter.totalValue == 1)
        #expect(self.backend.counterTotal(label: "fxfer_refused_total") == 1)
    }

    @Test("is told apart by where damage came from and what found it", arguments: Corruption.all)
    func damaged(corruption: Corruption) throws {
        self.metrics.damaged(corruption)
        let dimensions = [("peer", corruption.peer.rawValue), ("cause", corruption.cause.rawValue)]
        #expect(try self.backend.expectCounter("fxfer_corrupt_chunks_total", dimensions).totalValue == 1)
        #expect(self.backend.counterTotal(label: "fxfer_corrupt_chunks_total") == 1)
    }

    @Test("are times in nanoseconds")
    func times() throws {
        self.metrics.flushed(in: .microseconds(3))
        self.metrics.received(in: .seconds(2))
        #expect(try self.backend.expectTimer("fxfer_fsync_seconds").values == [3000])
        #expect(try self.backend.expectTimer("fxfer_file_seconds").values == [2_000_000_000])
    }

    @Test("has names and help that Prometheus takes as they are", arguments: ServerMetric.allCases)
    func names(metric: ServerMetric) {
        #expect(metric.rawValue.hasPrefix("fxfer_"))
        #expect(metric.rawValue.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "_") })
        #expect(metric.help.utf8.allSatisfy { (0x20...0x7E).contains($0) })
        #expect(metric.buckets == metric.buckets.sorted())
    }

    @Test(
        "a damaged TLS record is told from an alert of the other side",
        arguments: [
            (
                "sslError([Error: 1 error:1000008b:SSL routines:OPENSSL_internal:DECRYPTION_FAILED_OR_BAD_RECORD_MAC at x:1])",
                true
            ),
            (
                "sslError([Error: 1 error:100003fc:SSL routines:OPENSSL_internal:SSLV3_ALERT_BAD_RECORD_MAC at x:1])",
                false
            ),
            ("uncleanShutdown", false),
        ]
    )
    func damagedRecord(text: String, isDamage: Bool) {
        struct Failure: Error, CustomStringConvertible { let description: String }
        #expect(TLSFailure.isDamage(Failure(description: text)) == isDamage)
    }
}
