// The one policy by which this page turns a text into the address of a script: its own files, by name.

const policy = self.trustedTypes?.createPolicy("shilu-console", { createScriptURL: (address) => address });

export const scriptAddress = (name) => policy?.createScriptURL(name) ?? name;
