// swift-tools-version: 6.1

import PackageDescription

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]

let fuzzed: [Target.Dependency] = [
    "CLinux", "Fxfer", "FxferLegacy", "FxferNetwork", "FxferProtocol", "FxferStorage", "FxferTrust",
    .product(name: "NIOCore", package: "swift-nio"),
]

let package = Package(
    name: "fxfer",
    products: [
        .library(name: "Fxfer", targets: ["Fxfer"]),
        .executable(name: "fxfer", targets: ["FxferCLI"]),
    ],
    dependencies: [
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .target(
            name: "FxferProtocol",
            dependencies: [.product(name: "NIOCore", package: "swift-nio")]
        ),
        .systemLibrary(
            name: "CLibcrypto",
            pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"])]
        ),
        .target(name: "CLinux"),
        .target(
            name: "FxferStorage",
            dependencies: ["FxferProtocol", "CLibcrypto", "CLinux"] + nio
        ),
        .target(
            name: "FxferS3",
            dependencies: [
                "CLibcrypto",
                "FxferNetwork",
                "FxferProtocol",
                "FxferStorage",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ] + nio
        ),
        .target(
            name: "FxferTrust",
            dependencies: ["FxferProtocol", "FxferStorage", "CLibcrypto", "CLinux"]
        ),
        .target(
            name: "FxferNetwork",
            dependencies: ["FxferProtocol"] + nio
        ),
        .target(
            name: "FxferLegacy",
            dependencies: ["FxferProtocol", "FxferStorage", "FxferNetwork"] + nio
        ),
        .target(
            name: "Fxfer",
            dependencies: [
                "FxferNetwork",
                "FxferProtocol",
                "FxferStorage",
                "FxferTrust",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ] + nio
        ),
        .target(
            name: "FxferMetrics",
            dependencies: [
                "FxferNetwork",
                "FxferProtocol",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ] + nio
        ),
        .executableTarget(
            name: "FxferCLI",
            dependencies: [
                "CLinux",
                "Fxfer",
                "FxferLegacy",
                "FxferMetrics",
                "FxferS3",
                "FxferTrust",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]
        ),
        .testTarget(name: "FxferProtocolTests", dependencies: ["FxferProtocol", "CLibcrypto"]),
        .testTarget(name: "FxferStorageTests", dependencies: ["FxferS3", "FxferStorage"]),
        .testTarget(name: "FxferS3Tests", dependencies: ["FxferS3"]),
        .testTarget(name: "FxferTrustTests", dependencies: ["FxferTrust", "CLibcrypto"]),
        .testTarget(
            name: "FxferNetworkTests",
            dependencies: ["FxferNetwork", .product(name: "NIOEmbedded", package: "swift-nio")]
        ),
        .testTarget(name: "FxferLegacyTests", dependencies: ["FxferLegacy"]),
        .testTarget(
            name: "FxferMetricsTests",
            dependencies: ["FxferMetrics", .product(name: "NIOEmbedded", package: "swift-nio")]
        ),
        .testTarget(
            name: "FxferTests",
            dependencies: [
                "Fxfer",
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ]
        ),
        .testTarget(name: "FxferCLITests", dependencies: ["FxferCLI", "CLinux"]),
        .testTarget(
            name: "FxferFuzzing",
            dependencies: fuzzed,
            exclude: ["fuzz", "LibFuzzer"]
        ),
    ],
    swiftLanguageModes: [.v6]
)

// Tests/FxferFuzzing/fuzz sets this. The fuzz targets become a program that libFuzzer drives instead of tests, and
// fxfer's own code is built so that libFuzzer sees where it goes.
if Context.environment["FXFER_FUZZ"] != nil {
    package.targets.removeAll { $0.type == .test || $0.name == "FxferCLI" }
    package.products = []
    package.targets.append(
        .executableTarget(
            name: "fxfer-fuzz",
            dependencies: fuzzed,
            path: "Tests/FxferFuzzing",
            exclude: ["fuzz", "Replay"]
        )
    )
    for target in package.targets where target.type == .regular || target.type == .executable {
        // The linker is told, too, as only it can add libFuzzer and its main().
        let flags = ["-sanitize=fuzzer,address"]
        target.swiftSettings = [.unsafeFlags(flags + ["-enable-testing", "-parse-as-library"])]
        if target.type == .executable { target.linkerSettings = [.unsafeFlags(flags + ["-use-ld=lld"])] }
    }
}
