import FxferProtocol
import Glibc
import Testing

@testable import FxferCLI

@Suite("A socket of a service manager")
struct InheritedSocketTests {
    @Test("is there where both variables say so of this process")
    func one() throws {
        #expect(try InheritedSocket.count(process: "7", descriptors: "1", 7) == 1)
        #expect(try InheritedSocket.count(process: "7", descriptors: "0", 7) == 0)
    }

    @Test(
        "is none of this process's where the variables are missing, meant for another one, or no process",
        arguments: [(nil, nil), ("7", nil), (nil, "1"), ("8", "1"), ("", "1"), ("x", "1"), ("8", "nonsense")]
    )
    func notOurs(process: String?, descriptors: String?) throws {
        #expect(try InheritedSocket.count(process: process, descriptors: descriptors, 7) == 0)
    }

    @Test(
        "is refused where there are several, or what is no number of them",
        arguments: ["2", "255", "256", "-1", "x", "", "1 ", "99999999999999999999"]
    )
    func several(descriptors: String) {
        let error = #expect(throws: FxferError.self) {
            try InheritedSocket.count(process: "7", descriptors: descriptors, 7)
        }
        #expect(error?.code == .usage)
    }
}
