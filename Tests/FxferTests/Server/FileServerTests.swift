import Foundation
import Fxfer
import Glibc
import Logging
import Testing

@Suite("A file server")
struct FileServerTests {
    @Test("makes no directory where its port is taken")
    func portInUse() async throws {
        let other = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(other) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr = in_addr(s_addr: UInt32(INADDR_LOOPBACK).bigEndian)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                try #require(bind(other, pointer, length) == 0 && listen(other, 1) == 0)
                try #require(getsockname(other, pointer, &length) == 0)
            }
        }

        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("fxfer-\(UUID().uuidString)").path
        var configuration = ServerConfiguration(directory: Array(directory.utf8))
        configuration.address = "127.0.0.1"
        configuration.port = Int(UInt16(bigEndian: address.sin_port))
        let server = FileServer(
            configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            onListening: { _ in Issue.record("it listens") }
        )
        let error = await #expect(throws: FxferError.self) { try await server.run() }
        #expect(error?.code == .cannotConnect)
        #expect(!FileManager.default.fileExists(atPath: directory))
    }
}
