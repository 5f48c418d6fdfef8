import { serve } from "../lib/serve.ts";
import { commandPlugin } from "./plugin.ts";

await serve(commandPlugin);
