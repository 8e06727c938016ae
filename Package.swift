// swift-tools-version: 6.2
// The manifest is the architecture: targets stand in the order of the floors (see ARCHITECTURE.md), and each names only
// targets above it. Tests/ArchitectureTests holds the imports of the sources against this order.

import PackageDescription

let rules: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

// The Swift runtime and Foundation go into the executables themselves, so that what is measured is what runs; what is
// left outside is libc, libm, libstdc++ and libgcc. Only the link step differs, so nothing is compiled twice for it.
let staticRuntime: [LinkerSetting] = [
    .unsafeFlags([
        "-static-stdlib", "-lFoundation", "-lFoundationInternationalization", "-lFoundationEssentials",
        "-lCoreFoundation", "-l_FoundationICU", "-l_FoundationCShims", "-l_FoundationCollections",
        "-lswiftSynchronization", "-lstdc++",
        "-Xlinker", "-z", "-Xlinker", "relro", "-Xlinker", "-z", "-Xlinker", "now",
    ])
]

/// A system library of Debian, linked statically into whatever uses it.
func system(_ name: String, _ package: String) -> Target {
    .systemLibrary(name: name, providers: [.apt([package])])
}

func library(_ name: String, _ dependencies: [Target.Dependency] = [], link: [String] = []) -> Target {
    .target(
        name: name, dependencies: dependencies, swiftSettings: rules,
        linkerSettings: link.map { .linkedLibrary(":lib\($0).a") })
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: rules, linkerSettings: staticRuntime)
}

func tests(_ subject: String, _ dependencies: [Target.Dependency] = [], resources: [String] = []) -> Target {
    .testTarget(
        name: subject + "Tests", dependencies: [.init(stringLiteral: subject)] + dependencies,
        resources: resources.map { .copy($0) }, swiftSettings: rules)
}

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let trees: Target.Dependency = .product(name: "HashTreeCollections", package: "swift-collections")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioConcurrency: Target.Dependency = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

// scripts/fuzz.sh names the archive of libFuzzer (without its main) here; then there is one program more. It is not
// among the others since only a build with a sanitizer's coverage can link it.
let fuzzProgram: [Target] =
    Context.environment["ENTENTE_FUZZ"].map { archive in
        [
            .systemLibrary(name: "CLibFuzzer", path: "Fuzz/LibFuzzer"),
            .executableTarget(
                name: "entente-fuzz", dependencies: ["CLibFuzzer", "FuzzTargets"], path: "Fuzz/Program",
                swiftSettings: rules, linkerSettings: [.unsafeFlags([archive, "-lstdc++"])]),
        ]
    } ?? []

let package = Package(
    name: "entente",
    products: [
        .executable(name: "entente", targets: ["entente"]),
        .executable(name: "entente-manager", targets: ["entente-manager"]),
        .executable(name: "entente-node", targets: ["entente-node"]),
        .executable(name: "entente-worker", targets: ["entente-worker"]),
        .library(name: "AdapterKit", targets: ["AdapterKit"]),
        .library(name: "EVM", targets: ["EVM", "Primitives"]),
        .library(name: "ThresholdCryptography", targets: ["ThresholdCryptography", "Primitives"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", exact: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        // Floor 0: system libraries and the one C shim.
        system("CGMP", "libgmp-dev"),
        system("CJansson", "libjansson-dev"),
        system("COpenSSL", "libssl-dev"),
        system("CSeccomp", "libseccomp-dev"),
        system("CSecp256k1", "libsecp256k1-dev"),
        system("CSodium", "libsodium-dev"),
        system("CZlib", "zlib1g-dev"),
        .target(name: "CHostShim"),
        // Floor 1
        library("Primitives", ["CJansson"], link: ["jansson"]),
        // Floor 2
        library("Store", ["Primitives", trees]),
        library("Identity", ["Primitives", crypto, x509, asn1]),
        library("Attestation", ["Identity", "Primitives", asn1, crypto, cryptoExtras]),
        library("Ledger", ["Identity", "Primitives", "Store", crypto]),
        library(
            "EVM", ["Primitives", "CGMP", "COpenSSL", "CSecp256k1"], link: ["secp256k1", "gmp", "crypto"]),
        library("ThresholdCryptography", ["CSodium", "Primitives", crypto], link: ["sodium"]),
        // Floor 3
        library("Consensus", ["Primitives"]),
        library("Constitution", ["Attestation", "Identity", "Primitives", "Store", crypto, x509]),
        // Floor 4
        library("AdapterKit", ["Ledger", "Primitives", "Store"]),
        // Floor 5
        library(
            "EthereumAdapter",
            ["AdapterKit", "CSecp256k1", "CZlib", "EVM", "Ledger", "Primitives", "Store"], link: ["z"]),
        library(
            "Manager",
            [
                "AdapterKit", "Attestation", "Consensus", "Constitution", "Identity", "Ledger", "Primitives", "Store",
            ]),
        // Floor 6
        library("Transport", [crypto, logging, nioConcurrency, nioCore, nioHTTP, nioPosix, nioSSL, nioTLS]),
        library("Host", ["CHostShim", "CSeccomp", "Primitives", crypto, logging], link: ["seccomp"]),
        library("NodeConfiguration", ["Attestation", "Constitution", "Identity", "Primitives", yams]),
        library("WorkerRuntime", ["AdapterKit", "Primitives"]),
        library("Conformance", ["EVM", "EthereumAdapter", "Primitives"]),
        // Floor 7
        library(
            "ManagerRuntime",
            [
                "AdapterKit", "Attestation", "Consensus", "Constitution", "Host", "Identity", "Ledger", "Manager",
                "Primitives", "Transport", crypto, logging, nioConcurrency, nioCore, nioPosix,
            ]),
        library(
            "Gateway", ["Host", "Ledger", "Primitives", "Transport", logging, nioConcurrency, nioCore]),
        library(
            "Simulator",
            [
                "AdapterKit", "Attestation", "Consensus", "Constitution", "Identity", "Ledger", "Manager", "Primitives",
                "Store",
            ]),
        library(
            "Bench",
            [
                "AdapterKit", "CSecp256k1", "EVM", "EthereumAdapter", "Host", "Identity", "Ledger", "Primitives",
                "Transport", crypto, nioCore, nioPosix,
            ]),
        // Floor 8
        program(
            "entente",
            [
                "Attestation", "Bench", "Conformance", "Constitution", "EVM", "EthereumAdapter", "Gateway", "Host",
                "Identity", "Ledger", "NodeConfiguration", "Primitives", "Simulator", "Store",
                "Transport", arguments, logging, nioCore, nioPosix,
            ]),
        program("entente-manager", ["ManagerRuntime"]),
        program("entente-node", ["EthereumAdapter", "ManagerRuntime", "WorkerRuntime"]),
        program("entente-worker", ["EthereumAdapter", "Host", "WorkerRuntime"]),
        // What the sandbox test runs inside of itself: tries what is forbidden, and says what came of it.
        .executableTarget(
            name: "SandboxProbe", dependencies: ["CSeccomp", "Host", "Transport", logging, nioCore, nioPosix],
            swiftSettings: rules),
        // Every decoder of bytes from outside as a fuzzer sees it, for `FuzzTests` and `make fuzz`; in no product.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "AdapterKit", "Attestation", "Conformance", "Consensus", "Constitution", "EVM", "EthereumAdapter",
                "Host", "Identity", "Ledger", "Manager", "ManagerRuntime", "NodeConfiguration", "Primitives",
                "Simulator", "Store", "Transport", logging, nioCore, nioEmbedded,
            ], path: "Fuzz/Targets", swiftSettings: rules),
        // Tests, in the same order.
        tests("Primitives"),
        tests("Store", ["Primitives"]),
        tests("Identity", ["Primitives"]),
        tests("Attestation", ["Identity", "Primitives", asn1, crypto, cryptoExtras]),
        tests("Ledger", ["Identity", "Primitives", "Store"]),
        tests("EVM", ["Primitives"]),
        tests("ThresholdCryptography", ["Primitives", crypto]),
        tests("Consensus", ["Primitives", "Simulator"], resources: ["Scenarios"]),
        tests("Constitution", ["Attestation", "Identity", "Primitives", "Store"]),
        tests("AdapterKit", ["Ledger", "Primitives", "Store"]),
        tests("EthereumAdapter", ["AdapterKit", "CSecp256k1", "EVM", "Ledger", "Primitives", "Store"]),
        tests(
            "Manager",
            ["AdapterKit", "Attestation", "Consensus", "Constitution", "Identity", "Ledger", "Primitives", "Store"]
        ),
        tests("Transport", [asn1, crypto, logging, nioCore, nioPosix, nioSSL, x509]),
        tests("Host", ["SandboxProbe", "Transport", crypto, logging, nioCore, nioPosix]),
        tests("NodeConfiguration", ["Attestation", "Constitution", "Identity", "Primitives", "Store"]),
        tests("WorkerRuntime", ["AdapterKit", "Ledger", "Primitives", "Store"]),
        tests("Conformance", ["EVM", "EthereumAdapter", "Primitives"]),
        tests("Simulator", ["Consensus", "Identity", "Ledger", "Manager"]),
        tests(
            "ManagerRuntime",
            ["Attestation", "Consensus", "Host", "Identity", "Ledger", "Manager", "Store", logging, nioCore, nioPosix]),
        tests("Gateway", ["Host", "Identity", "Primitives", "Transport", logging, nioCore, nioPosix]),
        tests("Bench", ["EVM", "EthereumAdapter", "Primitives", "Transport"]),
        .testTarget(name: "ArchitectureTests", swiftSettings: rules),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzTargets"], swiftSettings: rules),
    ] + fuzzProgram
)
