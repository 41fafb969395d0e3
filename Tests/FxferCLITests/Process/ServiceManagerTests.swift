import Glibc
import Testing

@testable import FxferCLI

@Suite("A service manager")
struct ServiceManagerTests {
    private func path(_ name: String) throws -> [UInt8] {
        let (address, length) = try #require(ServiceManager.address(of: Array(name.utf8)))
        let offset = try #require(MemoryLayout<sockaddr_un>.offset(of: \.sun_path))
        #expect(address.sun_family == sa_family_t(AF_UNIX))
        return withUnsafeBytes(of: address) { Array($0[offset..<Int(length)]) }
    }

    @Test("with a path is found there, with a zero behind it")
    func byPath() throws {
        #expect(try self.path("/run/notify") == Array("/run/notify\0".utf8))
    }

    @Test("with an abstract name is found under it, with a zero before it and none behind")
    func abstract() throws {
        #expect(try self.path("@notify") == Array("\0notify".utf8))
    }

    @Test("may have a name that just fits")
    func longest() throws {
        let name = String(repeating: "x", count: 106)
        #expect(try self.path("/" + name).count == 108)
        #expect(try self.path("@x" + name).count == 108)
        #expect(ServiceManager.address(of: Array("/x\(name)".utf8)) == nil)
        #expect(ServiceManager.address(of: Array("@xx\(name)".utf8)) == nil)
    }

    @Test("with another kind of name is not found", arguments: ["", "/", "@", "relative", "vsock:2:1"])
    func strange(name: String) {
        #expect(ServiceManager.address(of: Array(name.utf8)) == nil)
    }
}
