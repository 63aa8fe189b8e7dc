// A PLC's view of our OPC UA server, by a client that shares no code with it (node-opcua).
//
//   node opcua_client.mjs MODULES URL CERTIFICATE KEY USER PASSWORD FOLDER
//
// Prints a line of JSON for the head when it is read first, one for what GetResultListFiltered lists of it, and one
// whenever its `Sequence` is another.
import { createRequire } from "node:module";
import { join } from "node:path";

const [modules, url, certificateFile, privateKeyFile, userName, password, folder] = process.argv.slice(2);
const load = createRequire(join(modules, "x.js"));
const opcua = load("node-opcua-client");
const { OPCUACertificateManager } = load("node-opcua-certificate-manager");

const NAMES = ["State", "Evaluation", "Replace", "Operation", "IsSimulated", "PocketOutcome", "PocketEvaluation"];
const print = (value) => console.log(JSON.stringify(value));

const manager = new OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: true });
await manager.initialize();
const client = opcua.OPCUAClient.create({
    applicationUri: "urn:client",
    certificateFile,
    privateKeyFile,
    clientCertificateManager: manager,
    connectionStrategy: { maxRetry: 0 },
    endpointMustExist: false,
    securityMode: opcua.MessageSecurityMode.SignAndEncrypt,
    securityPolicy: opcua.SecurityPolicy.Basic256Sha256,
});
await client.connect(url);
const session = await client.createSession({ type: opcua.UserTokenType.UserName, userName, password });
const namespaces = await session.readNamespaceArray();
const ns = namespaces.indexOf("urn:insert-inspection:opcua");
const node = (name) => `ns=${ns};s=mill-1/H12/${name}`;

async function head() {
    const nodes = NAMES.map((name) => ({ nodeId: node(name), attributeId: opcua.AttributeIds.Value }));
    const values = await session.read(nodes);
    return Object.fromEntries(
        values.map(({ value }, number) => {
            const shown = ArrayBuffer.isView(value.value) ? [...value.value] : value.value;
            return [NAMES[number], [opcua.DataType[value.dataType], shown]];
        }),
    );
}

async function child(parent, name) {
    const found = await session.translateBrowsePath(opcua.makeBrowsePath(parent, `/${ns}:${name}`));
    return found.targets[0].targetId;
}

// Its structures are those that the server describes: nothing of them is known here.
async function results() {
    const management = await child(await child("ObjectsFolder", "VisionSystem"), "ResultManagement");
    const methodId = await child(management, "GetResultListFiltered");
    const { inputArguments: wanted } = await session.getArgumentDefinition(methodId);
    const inputArguments = [];
    for (const { dataType } of wanted) {
        if (dataType.namespace === 0) inputArguments.push({ dataType: dataType.value, value: 0 });
        else {
            const value = await session.constructExtensionObject(dataType, {});
            inputArguments.push({ dataType: opcua.DataType.ExtensionObject, value });
        }
    }
    const { outputArguments } = await session.call({ objectId: management, methodId, inputArguments });
    return outputArguments[3].value.map(({ partId, isPartial, resultState, resultContent }) => {
        return [partId.id, isPartial, resultState, resultContent[1].value, JSON.parse(resultContent[2].value).type];
    });
}

print({ ns, head: await head() });
print({ results: await results() });
const subscription = await session.createSubscription2({ requestedPublishingInterval: 100, publishingEnabled: true });
const item = await subscription.monitor(
    { nodeId: node("Sequence"), attributeId: opcua.AttributeIds.Value },
    { samplingInterval: 50, queueSize: 10, discardOldest: true },
    opcua.TimestampsToReturn.Both,
);
let first = true;
item.on("changed", async (changed) => {
    if (!first) print({ sequence: opcua.DataType[changed.value.dataType], head: await head() });
    else print({ watching: true });
    first = false;
});
const refused = await session.write({
    nodeId: node("State"),
    attributeId: opcua.AttributeIds.Value,
    value: { value: { dataType: "String", value: "go" } },
});
print({ write: refused.name });
