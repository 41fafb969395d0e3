import Testing

@testable import FxferStorage

@Suite("Whichever call fails while a file is received")
struct UploadFaultTests {
    @Test(
        "it is stored whole and durably, or nothing has changed and a later try succeeds",
        arguments: UploadScene.Kind.allCases,
        SystemCall.allCases
    )
    func upload(kind: UploadScene.Kind, call: SystemCall) async throws {
        try await FaultLoop.run(call) { try await UploadScene(kind, in: $0) }
    }
}
