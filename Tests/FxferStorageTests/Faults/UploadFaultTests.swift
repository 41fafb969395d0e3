import Testing

@testable import FxferStorage

// One after the other: whether descriptors were lost is seen by a look at all that are open.
@Suite("Whichever call fails while a file is received", .serialized)
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
